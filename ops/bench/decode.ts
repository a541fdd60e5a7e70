/**
 * How many change events a second one process can decode and map: an envelope of a temperature reading, the
 * most frequent record by far, from its bytes to the reading's fact. `node ops/bench/decode.ts [events]`
 */
import { toChange } from '../../src/cdc/envelope.ts';
import { mapChange } from '../../src/source/registry.ts';
import { PREFIX, sourceRow, tableCodec } from '../../test/support/envelope-codec.ts';

const TABLE = 'environmental_environmentalreading';
const DISTINCT = 1000;
const SETTINGS = { timeZone: 'Europe/Oslo', growthModel: 'auto', recordedDeathsInCount: false } as const;
const START_MS = Date.UTC(2023, 2, 1);
const EVERY_MS = 2 * 3_600_000;

const events = Number(process.argv[2] ?? 500_000);
const codec = tableCodec(TABLE, 'newer');
const records = Array.from({ length: DISTINCT }, (_, i) => {
  const readingTime = new Date(START_MS + i * EVERY_MS).toISOString().replace('Z', '000Z');
  const row = sourceRow(TABLE, 'newer', {
    id: i + 1,
    reading_time: readingTime,
    value: `${8 + (i % 7)}.6700`,
  });
  return {
    key: codec.keyType.toBuffer(row),
    value: codec.valueType.toBuffer(codec.encodable({ op: 'c', after: row })),
  };
});
const decoded = records.map(({ key, value }) => ({
  key: codec.keyType.fromBuffer(key),
  value: codec.valueType.fromBuffer(value),
}));

/** Runs `work` over the records again and again, and prints what one event cost. */
function measure(name: string, work: (index: number) => unknown): void {
  for (let i = 0; i < events / 5; i += 1) work(i % DISTINCT);
  const started = process.hrtime.bigint();
  let done = 0;
  for (let i = 0; i < events; i += 1) if (work(i % DISTINCT) !== null) done += 1;
  const micros = Number(process.hrtime.bigint() - started) / 1000;
  const perSecond = Math.round((done / micros) * 1_000_000).toLocaleString('en');
  console.log(`${name.padEnd(26)} ${(micros / done).toFixed(2)} µs per event, ${perSecond} per second`);
}

function decode(index: number): { key: unknown; value: unknown } {
  const { key, value } = records[index] as (typeof records)[number];
  return { key: codec.keyType.fromBuffer(key), value: codec.valueType.fromBuffer(value) };
}

function map({ key, value }: { key: unknown; value: unknown }): unknown {
  const event = toChange(codec.topic, key, value, PREFIX);
  return event.kind === 'change' ? mapChange(event, SETTINGS) : null;
}

measure('Avro (key and value)', decode);
measure('envelope and mapping', (index) => map(decoded[index] as (typeof decoded)[number]));
measure('all', (index) => map(decode(index)));
