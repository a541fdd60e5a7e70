/** Recorded change records of the real connector: what was written, and how to read it again. */
import { readFileSync } from 'node:fs';
import type { Type } from 'avsc';
import avro from 'avsc';
import { safeLongs } from '../../src/kafka/safe-long.ts';
import type { Generation } from './envelope-schemas.ts';

export interface RecordedEnvelope {
  readonly topic: string;
  /** Base64 of the bytes, wire format and all; null as it came. */
  readonly key: string | null;
  readonly value: string | null;
}

export interface Recording {
  readonly generation: Generation;
  /** Schema id → schema as the registry gave it. */
  readonly schemas: Readonly<Record<string, unknown>>;
  /** By topic, in the order within each. */
  readonly records: readonly RecordedEnvelope[];
}

/**
 * Rows that were written to every table: one before the connector came, two after, of which the second holds
 * null wherever it may; then the first of those two was deleted.
 */
export const PHASES = {
  snapshot: { id: 1, sparse: false, deletes: false },
  created: { id: 2, sparse: true, deletes: false },
  deleted: { id: 1, sparse: false, deletes: true },
} as const;

/** The value of a column by its type, as the source was given it and as Debezium tells it. */
export const FULL_ROW = {
  /** Columns that hold a word of an enumeration. */
  words: {
    status: 'COMPLETED',
    frequency: 'weekly',
    selection_method: 'SMALLEST',
    name: 'Temperature',
  } as Readonly<Record<string, string>>,
  source: {
    bigint: 7,
    integer: 12,
    numeric: '34.5',
    'double precision': 0.00275,
    boolean: true,
    date: '2024-03-31',
    'timestamp with time zone': '2024-03-30 23:59:00.250001+00',
    'time without time zone': '08:00:00',
    'character varying': 'a word',
    text: 'some text',
  } as Readonly<Record<string, unknown>>,
};

export interface DecodedRecord {
  readonly topic: string;
  readonly key: unknown;
  readonly value: unknown;
}

/** The recording of a generation, decoded with the schemas that were recorded beside it. */
export function readRecording(generation: Generation): DecodedRecord[] {
  const file = new URL(`../fixtures/envelopes/${generation}.json`, import.meta.url);
  const { schemas, records } = JSON.parse(readFileSync(file, 'utf8')) as Recording;
  const types = new Map<number, Type>();
  const decode = (text: string | null): unknown => {
    if (text === null) return null;
    const bytes = Buffer.from(text, 'base64');
    const id = bytes.readInt32BE(1);
    let type = types.get(id);
    if (type === undefined) {
      type = avro.Type.forSchema(schemas[id] as never, { typeHook: safeLongs });
      types.set(id, type);
    }
    return type.fromBuffer(bytes.subarray(5));
  };
  return records.map(({ topic, key, value }) => ({ topic, key: decode(key), value: decode(value) }));
}
