/** One seed from beginning to end: a history under faults, quiet, and what must then be true. */
import { isDeepStrictEqual } from 'node:util';
import { REJECTIONS } from '../../src/domain/cdc.ts';
import type { Rejection } from '../../src/domain/cdc.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { PublishedRow } from '../../src/domain/ports.ts';
import { mapChange } from '../../src/source/registry.ts';
import { partitionKey } from './memory-database.ts';
import type { RowsByDay } from './memory-database.ts';
import { publishedRow } from './memory-publications.ts';
import { comparableRows, sortedTexts } from './sim-compare.ts';
import { expectedFacts, expectedRows } from './sim-expected.ts';
import type { ExpectedFacts } from './sim-expected.ts';
import {
  horizonMain,
  ingestMain,
  operatorMain,
  recomputeMain,
  relayMain,
  sweepMain,
  upstreamMain,
} from './sim-processes.ts';
import { Random } from './sim-random.ts';
import { World } from './sim-world.ts';
import type { WorldOptions } from './sim-world.ts';

const SHARDS = 2;
const MOST_STEPS = 400_000;

export interface RunResult {
  readonly steps: number;
  readonly calls: number;
  readonly kills: number;
}

/** What a seed plays with, drawn from the seed as well: calm and stormy worlds, small and not so small. */
export function optionsOf(seed: number): WorldOptions {
  const random = new Random(seed ^ 0x5eed);
  const stormy = random.chance(0.7);
  return {
    seed,
    faults: {
      kill: stormy ? random.next() * 0.01 : 0,
      outage: stormy ? random.next() * 0.02 : 0,
      freeze: random.next() * 0.02,
    },
    episodes: random.int(1, 12),
    actions: random.pick([3, 8, 30]),
    days: random.int(6, 30),
    poison: random.chance(0.4) ? 0.08 : 0,
    partitions: random.int(1, 3),
    ingests: random.int(1, 3),
    recomputes: random.int(1, 3),
    relays: random.int(1, 2),
    snapshot: random.chance(0.3),
    settings: {
      timeZone: 'UTC',
      growthModel: random.pick(['auto', 'power', 'cube-root'] as const),
      recordedDeathsInCount: random.chance(0.3),
    },
  };
}

/** Throws an Error that names seed, step and difference. */
export async function runSeed(options: WorldOptions): Promise<RunResult> {
  const world = new World(options);
  world.spawn('upstream', upstreamMain(world));
  for (let i = 0; i < options.ingests; i += 1) world.spawn(`ingest-${i}`, ingestMain(world, i));
  for (let i = 0; i < options.recomputes; i += 1) world.spawn(`recompute-${i}`, recomputeMain(world));
  for (let shard = 0; shard < SHARDS; shard += 1) {
    for (let i = 0; i < options.relays; i += 1) {
      world.spawn(`relay-${shard}-${i}`, relayMain(world, `relay-${i}`, SHARDS, shard));
    }
  }
  world.spawn('sweeper', sweepMain(world));
  world.spawn('scheduler', horizonMain(world));
  world.spawn('operator', operatorMain(world));
  try {
    for (let episode = 1; episode <= options.episodes; episode += 1) {
      await playEpisode(world, world.farm.life.to + 2 - options.episodes + episode);
    }
  } catch (error) {
    const hint = `seed ${options.seed} at step ${world.stepsTaken}: run it alone with SIM_SEED=${options.seed} npm run test:sim`;
    throw new Error(`${(error as Error).message}\n${hint}`, { cause: error });
  }
  return { steps: world.stepsTaken, calls: world.calls, kills: world.kills };
}

async function playEpisode(world: World, horizonGoal: number): Promise<void> {
  const { random } = world;
  world.unsettle();
  world.horizonGoal = horizonGoal;
  world.actionsLeft = random.int(1, world.options.actions);
  while (world.actionsLeft > 0) await stepOf(world);
  for (let more = random.int(0, 400); more > 0; more -= 1) await stepOf(world);
  world.heal();
  while (!isQuiet(world)) await stepOf(world);
  checkAll(world);
}

async function stepOf(world: World): Promise<void> {
  if (!(await world.step())) throw new Error('everybody waits for ever');
  const [failure] = world.failures;
  if (failure !== undefined) throw failure;
  if (world.stepsTaken > MOST_STEPS) throw new Error(`not quiet: ${JSON.stringify(unrest(world))}`);
}

function isQuiet(world: World): boolean {
  return Object.values(unrest(world)).every((count) => count === 0) && openLetters(world) === 0;
}

/** What still has to be done. */
function unrest({ db, farm, horizonGoal }: World): Record<string, number> {
  const behind = farm
    .partitions()
    .filter((at) => (db.positions.committed.get(partitionKey(at)) ?? 0n) < farm.end(at));
  return {
    behind: behind.length,
    dirt: db.dirt.committed.size,
    publications: db.publications.committed.size,
    horizon: db.horizon === horizonGoal ? 0 : 1,
    parked: db.parked.committed.size,
  };
}

/** Open dead letters that another attempt will ingest. */
function openLetters({ db, farm, settings, repaired }: World): number {
  let count = 0;
  for (const { record, state } of db.letters.committed.values()) {
    if (state !== 'open') continue;
    const decoded = farm.decode(record, repaired);
    if (decoded.kind === 'change' && mapChange(decoded, settings).ok) count += 1;
  }
  return count;
}

function checkAll(world: World): void {
  const expected = expectedFacts(world.farm, world.settings, world.repaired);
  checkFacts(world, expected);
  checkLetters(world, expected);
  checkRows(world, expected);
  checkPublished(world);
}

function checkFacts({ db }: World, expected: ExpectedFacts): void {
  for (const [kind, table] of db.facts) {
    equal(`facts of kind ${kind}`, table.committed, expected.facts.get(kind) ?? new Map());
  }
  equal('readings', db.readings.committed, expected.readings);
  equal('daily sums of readings', db.sums.committed, expected.sums);
}

function checkLetters(world: World, { letters: hopeless }: ExpectedFacts): void {
  const kept = world.db.letters.committed;
  const unrepaired = expectedFacts(world.farm, world.settings, false).letters;
  for (const [key, { state, rejection }] of kept) {
    if (!unrepaired.has(key) && !(state === 'superseded' && isWithoutImage(rejection))) {
      throw new Error(`a good record was set aside: ${key}: ${rejection.message}`);
    }
    if (!world.letters.has(key)) throw new Error(`a dead letter never reached its topic: ${key}`);
  }
  for (const [key, { last }] of hopeless) {
    const state = kept.get(key)?.state;
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

function checkRows({ db, settings }: World, expected: ExpectedFacts): void {
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

/** A compacted read of daily-state is the table, and no key ever went back to an older revision. */
function checkPublished({ db, published }: World): void {
  const last = new Map<string, PublishedRow | null>();
  const highest = new Map<string, bigint>();
  for (const { assignmentId, day, row } of published.messages) {
    const key = `${assignmentId}/${day}`;
    last.set(key, row);
    if (row === null) continue;
    if (row.revision < (highest.get(key) ?? 0n)) throw new Error(`revision of ${key} went back`);
    highest.set(key, row.revision);
  }
  const wanted = new Map<string, PublishedRow>();
  for (const [id, rows] of db.rows.committed as ReadonlyMap<Id, RowsByDay>) {
    for (const row of rows.values()) wanted.set(`${id}/${row.day}`, publishedRow(id, row));
  }
  const shown = new Map([...last].filter(([, row]) => row !== null));
  equal('daily-state', shown, wanted);
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
