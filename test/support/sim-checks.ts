/** What must be true once everything is quiet. Each throws an Error that names the first difference. */
import { isDeepStrictEqual } from 'node:util';
import { REJECTIONS } from '../../src/domain/cdc.ts';
import type { Rejection } from '../../src/domain/cdc.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { PublishedRow } from '../../src/domain/ports.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import type { MemoryDatabase, RowsByDay } from './memory-database.ts';
import { publishedRow } from './memory-publications.ts';
import { comparableRows, sortedTexts } from './sim-compare.ts';
import { expectedFacts, expectedRows } from './sim-expected.ts';
import type { ExpectedFacts } from './sim-expected.ts';
import { PLANTED } from './sim-farm.ts';
import type { World } from './sim-world.ts';

/** Facts, readings and their daily sums are what the log amounts to. */
export function assertFacts(db: MemoryDatabase, expected: ExpectedFacts): void {
  for (const [kind, table] of db.facts) {
    equal(`facts of kind ${kind}`, table.committed, expected.facts.get(kind) ?? new Map());
  }
  equal('readings', db.readings.committed, expected.readings);
  equal('daily sums of readings', db.sums.committed, expected.sums);
}

/** What cannot be used was set aside and sent, and nothing else; what came later for a key superseded it. */
export function assertLetters(world: World, { letters: hopeless }: ExpectedFacts): void {
  const kept = world.db.letters.committed;
  if (kept.size + hopeless.size === 0) return;
  const unrepaired = expectedFacts(world.farm, world.settings, false).letters;
  for (const [key, { state, rejection }] of kept) {
    if (!unrepaired.has(key) && !(state === 'superseded' && isWithoutImage(rejection))) {
      throw new Error(`a good record was set aside: ${key}: ${rejection.message}`);
    }
    if (!world.letters.has(key)) throw new Error(`a dead letter never reached its topic: ${key}`);
  }
  for (const [key, { last, refused }] of hopeless) {
    const state = kept.get(key)?.state;
    if (state === undefined && refused && !last) continue;
    if (state === undefined) throw new Error(`a bad record was not set aside: ${key}`);
    if ((state === 'open') !== last) throw new Error(`dead letter ${key} is ${state}`);
  }
  for (const [key, letter] of kept) {
    if (!hopeless.has(key) && letter.state === 'open') throw new Error(`dead letter ${key} is still open`);
  }
}

/**
 * A repeated update that leaves out an unchanged text meets a row that a later record had already ended. Nothing is
 * known to fill it in from, and nothing needs to be: that later record is repeated too.
 */
function isWithoutImage(rejection: Rejection): boolean {
  return rejection.code === REJECTIONS.missingField && rejection.message.includes('left out');
}

/** The law: rows and anomalies are those of one full pass over all facts. */
export function assertRows(
  db: MemoryDatabase,
  settings: EngineSettings,
  expected: Pick<ExpectedFacts, 'facts' | 'sums'>,
): void {
  // Facts in the store are by now known to be what is expected.
  const { rows, anomalies } = expectedRows(expected, db.horizon ?? 0, settings);
  for (const id of new Set([...rows.keys(), ...db.rows.committed.keys()])) {
    const wanted = comparableRows(rows.get(id));
    equal(`rows of assignment ${id}`, comparableRows(db.rows.committed.get(id)), wanted);
  }
  for (const id of new Set([...anomalies.keys(), ...db.anomalies.committed.keys()])) {
    const stored = sortedTexts(db.anomalies.committed.get(id) ?? []);
    equal(`anomalies of assignment ${id}`, stored, sortedTexts(anomalies.get(id) ?? []));
  }
}

/**
 * A compacted read of daily-state is the table, and the revisions of a key rise: only what was published before may
 * come again under its revision, the very same.
 */
export function assertPublished({ db, published }: World): void {
  const last = new Map<string, PublishedRow | null>();
  const newest = new Map<string, PublishedRow>();
  for (const { assignmentId, day, row } of published.messages) {
    const key = `${assignmentId}/${day}`;
    last.set(key, row);
    if (row === null) continue;
    const before = newest.get(key);
    newest.set(key, row);
    if (before === undefined || row.revision > before.revision) continue;
    if (row.revision < before.revision) throw new Error(`revision of ${key} went back`);
    equal(`revision ${row.revision} of ${key}`, row, before);
  }
  const wanted = new Map<string, PublishedRow>();
  for (const [id, rows] of db.rows.committed as ReadonlyMap<Id, RowsByDay>) {
    for (const row of rows.values()) wanted.set(`${id}/${row.day}`, publishedRow(id, row));
  }
  const shown = new Map([...last].filter(([, row]) => row !== null));
  equal('daily-state', shown, wanted);
}

/** Whatever was published at any time: the planted stay's count and its feed were changed by the same transactions. */
export function assertWhole({ published }: World): void {
  for (const { assignmentId, day, row } of published.messages) {
    if (assignmentId !== PLANTED.id || day !== PLANTED.day || row === null) continue;
    const { population, feedKg } = row;
    if (population - PLANTED.population === feedKg) continue;
    throw new Error(`the halves of a transaction differ: ${population} fish, fed ${feedKg} kg`);
  }
}

/** Names the first entry that differs. */
function equal(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what} differ: ${firstDifference(actual, expected)}`);
}

function firstDifference(actual: unknown, expected: unknown): string {
  const a = entriesOf(actual);
  const b = entriesOf(expected);
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    if (isDeepStrictEqual(a.get(key), b.get(key))) continue;
    return `at ${String(key)} is ${show(a.get(key))}, should be ${show(b.get(key))}`;
  }
  return 'in kind only';
}

function entriesOf(value: unknown): Map<unknown, unknown> {
  if (value instanceof Map) return value as Map<unknown, unknown>;
  return new Map(Object.entries(value as object));
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    return typeof part === 'number' && Number.isNaN(part) ? 'NaN' : part;
  });
  return text ?? 'absent';
}
