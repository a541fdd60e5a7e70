/** Records that the real connector wrote, of every table in both generations, from their bytes to facts. */
import { describe, expect, it } from 'vitest';
import { toChange } from '../../src/cdc/envelope.ts';
import type { ChangeEvent, SourceRow } from '../../src/domain/cdc.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { CAPTURED_TABLES, changeTopic, heartbeatTopic, transactionTopic } from '../../src/domain/topics.ts';
import { mapChange } from '../../src/source/registry.ts';
import { PREFIX, sourceRow } from '../support/envelope-codec.ts';
import { FULL_ROW, PHASES, readRecording } from '../support/envelope-recording.ts';
import { columnsOf, tablesOf } from '../support/envelope-schemas.ts';
import type { Generation } from '../support/envelope-schemas.ts';

const SETTINGS = { timeZone: 'Atlantic/Faroe', growthModel: 'auto', recordedDeathsInCount: false } as const;

/** What FULL_ROW's values are as Debezium tells them. */
const TOLD: Readonly<Record<string, unknown>> = {
  long: 7,
  int: 12,
  numeric: '34.5',
  double: 0.00275,
  bool: true,
  date: isoToDay('2024-03-31'),
  time: 28_800_000_000,
  timestamptz: '2024-03-30T23:59:00.250001Z',
};

/** The row that was written, as this project's own notion of the schema has it; null where the real one is. */
function expectedRow(table: string, generation: Generation, id: number, real: SourceRow): SourceRow {
  const values = columnsOf(table, generation).map(({ name, type }) => {
    if (type === 'key') return [name, id];
    if (real[name] === null) return [name, null];
    if (name === 'batch_number') return [name, `batch ${id}`];
    return [name, type === 'text' ? (FULL_ROW.words[name] ?? 'a word') : TOLD[type]];
  });
  return sourceRow(table, generation, Object.fromEntries(values));
}

describe.each(['older', 'newer'] as const)('the %s generation', (generation) => {
  const records = readRecording(generation);
  const decoded = records.map(({ topic, key, value }) => ({
    topic,
    event: toChange(topic, key, value, PREFIX),
  }));
  const eventsOf = (table: string): ChangeEvent[] =>
    decoded
      .filter(({ topic }) => topic.endsWith(`.${table}`))
      .map(({ event }) => event)
      .filter((event) => event.kind === 'change');

  it('was recorded whole', () => {
    const expected = tablesOf(generation).map((table) => changeTopic(PREFIX, table as never));
    const topics = new Set(records.map(({ topic }) => topic));
    expect([...topics].sort()).toEqual(
      [...expected, heartbeatTopic(PREFIX), transactionTopic(PREFIX)].sort(),
    );
    const absent = generation === 'older' ? 'newer' : 'older';
    expect(tablesOf(generation).sort()).toEqual(
      CAPTURED_TABLES.filter((table) => (table.generation as string) !== absent)
        .map((table) => table.name)
        .sort(),
    );
  });

  it("ignores the connector's own records", () => {
    for (const { topic, event } of decoded) {
      const own = topic === heartbeatTopic(PREFIX) || topic === transactionTopic(PREFIX);
      expect([topic, event.kind]).toEqual([topic, own ? 'ignored' : 'change']);
    }
  });

  it('marks the initial snapshot, and its last record once', () => {
    const marks = decoded.flatMap(({ event }) => (event.kind === 'change' ? [event.snapshot] : []));
    expect(marks.filter((mark) => mark === 'initial_last')).toHaveLength(1);
    expect(marks.filter((mark) => mark === 'initial')).toHaveLength(tablesOf(generation).length - 1);
  });

  it.each(tablesOf(generation))('maps %s', (table) => {
    const [snapshot, created, deleted, tombstone, ...rest] = eventsOf(table) as [
      ChangeEvent,
      ChangeEvent,
      ChangeEvent?,
      ChangeEvent?,
      ...ChangeEvent[],
    ];
    expect(rest).toEqual([]);
    const images = [
      [snapshot, PHASES.snapshot.id],
      [created, PHASES.created.id],
    ] as const;
    for (const [event, id] of images) {
      const real = event.after as SourceRow;
      const after = expectedRow(table, generation, id, real);
      expect(event.table).toBe(table);
      expect(event.committedMs).toBeGreaterThan(Date.UTC(2024, 0, 1));
      const mapped = mapChange(event, SETTINGS);
      expect(mapped).toMatchObject({ ok: true });
      expect(mapped).toEqual(mapChange({ ...event, key: after, after }, SETTINGS));
    }
    const before = mapChange(snapshot, SETTINGS);
    for (const event of [deleted, tombstone]) {
      if (event === undefined) throw new Error('a deletion is missing');
      const gone = mapChange(event, SETTINGS);
      if (!gone.ok || !before.ok) throw new Error('not mapped');
      expect(gone.change).toEqual({ ...before.change, after: null });
    }
  });

  it('reads days in the site and instants to the microsecond', () => {
    const treatment = mapChange(eventsOf('health_treatment')[0] as ChangeEvent, SETTINGS);
    expect(treatment).toMatchObject({ change: { after: { day: isoToDay('2024-03-30') } } });
    const scenario = mapChange(eventsOf('scenario')[0] as ChangeEvent, SETTINGS);
    expect(scenario).toMatchObject({ change: { after: { createdAtUs: 1_711_843_140_250_001 } } });
  });
});
