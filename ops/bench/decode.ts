/**
 * What one process needs to decode and map a change event: an envelope of a temperature reading, the most frequent
 * record by far, from its bytes to the reading's fact.
 */
import { toChange } from '../../src/cdc/envelope.ts';
import { mapChange } from '../../src/source/registry.ts';
import { PREFIX, sourceRow, tableCodec } from '../../test/support/envelope-codec.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { cpuSeconds } from './bench.ts';

const TABLE = 'environmental_environmentalreading';
const EVENTS = 1_000_000;
const DISTINCT = 1000;
const SETTINGS = { timeZone: 'Europe/Oslo', growthModel: 'auto', recordedDeathsInCount: false } as const;
const START_MS = Date.UTC(2023, 2, 1);
const EVERY_MS = 2 * 3_600_000;

export const decodeBench: Bench = {
  name: 'decode',
  about: 'A change event of a temperature reading, from its bytes to its fact, by processor time.',
  run: async (options) => run(options),
};

function run({ scale }: BenchOptions): readonly Figure[] {
  const events = Math.max(DISTINCT, Math.round(EVENTS * scale));
  const codec = tableCodec(TABLE, 'newer');
  const records = Array.from({ length: DISTINCT }, (_, i) => {
    const readingTime = new Date(START_MS + i * EVERY_MS).toISOString().replace('Z', '000Z');
    const values = { id: i + 1, reading_time: readingTime, value: `${8 + (i % 7)}.6700` };
    const row = sourceRow(TABLE, 'newer', values);
    return {
      key: codec.keyType.toBuffer(row),
      value: codec.valueType.toBuffer(codec.encodable({ op: 'c', after: row })),
    };
  });
  const decode = (index: number): { key: unknown; value: unknown } => {
    const { key, value } = records[index] as (typeof records)[number];
    return { key: codec.keyType.fromBuffer(key), value: codec.valueType.fromBuffer(value) };
  };
  const map = ({ key, value }: { key: unknown; value: unknown }): unknown => {
    const event = toChange(codec.topic, key, value, PREFIX);
    return event.kind === 'change' ? mapChange(event, SETTINGS) : null;
  };
  const decoded = records.map((_, index) => decode(index));
  return [
    measured('Avro (key and value)', events, decode),
    measured('envelope and mapping', events, (index) => map(decoded[index] as (typeof decoded)[number])),
    measured('all', events, (index) => map(decode(index))),
  ];
}

/** Runs `work` over the records again and again. */
function measured(what: string, events: number, work: (index: number) => unknown): Figure {
  for (let i = 0; i < events / 5; i += 1) work(i % DISTINCT);
  const start = cpuSeconds();
  let done = 0;
  for (let i = 0; i < events; i += 1) if (work(i % DISTINCT) !== null) done += 1;
  const micros = (cpuSeconds() - start) * 1_000_000;
  const perSecond = Math.round((done / micros) * 1_000_000).toLocaleString('en');
  return { what, value: micros / done, unit: 'µs', note: `${perSecond} events/s` };
}
