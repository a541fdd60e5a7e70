/**
 * What the real connector registers and writes for each table, as recorded from it: a topic made from this cannot be
 * told from one of its own.
 */
import { readFileSync } from 'node:fs';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import { CAPTURED_TABLES, changeTopic, transactionTopic } from '../../../src/domain/topics.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { readRecording } from '../../../test/support/envelope-recording.ts';
import type { Recording } from '../../../test/support/envelope-recording.ts';

/** The prefix under which it was recorded. */
const RECORDED_AS = 'farm';
const FILE = new URL('../../../test/fixtures/envelopes/newer.json', import.meta.url);

export interface RecordedSchemas {
  readonly keySchema: object;
  readonly valueSchema: object;
}

export interface RecordedTable extends RecordedSchemas {
  readonly columns: readonly RecordedColumn[];
  /** What a delete shows of columns that are no part of the key. */
  readonly blank: SourceRow;
}

export interface RecordedColumn {
  readonly name: string;
  readonly kind: 'date' | 'time' | 'other';
}

/** By table; the schemas bear `prefix`, as the connector's would. */
export function recordedTables(prefix: string): ReadonlyMap<CapturedTableName, RecordedTable> {
  const recording = readFile();
  const deletes = new Map<string, SourceRow>();
  for (const { topic, value } of readRecording('newer')) {
    const before = (value as { before?: SourceRow | null } | null)?.before;
    if (before != null) deletes.set(topic, before);
  }
  return new Map(
    CAPTURED_TABLES.map(({ name }) => {
      const topic = changeTopic(RECORDED_AS, name);
      const blank = deletes.get(topic);
      if (blank === undefined) throw new Error(`no delete of ${name} was recorded`);
      const schemas = schemasOf(recording, topic, prefix);
      return [name, { ...schemas, columns: columnsOf(schemas.valueSchema), blank }];
    }),
  );
}

/** Of the topic in which transactions are told. */
export function recordedTransactions(): RecordedSchemas {
  return schemasOf(readFile(), transactionTopic(RECORDED_AS), RECORDED_AS);
}

function readFile(): Recording {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Recording;
}

function schemasOf({ schemas, records }: Recording, topic: string, prefix: string): RecordedSchemas {
  const record = records.find((one) => one.topic === topic && one.key !== null && one.value !== null);
  if (record === undefined) throw new Error(`nothing of ${topic} was recorded`);
  // As `schema.name.adjustment.mode: avro` does it.
  const namespace = prefix.replaceAll(/[^A-Za-z0-9_.]/g, '_');
  const schemaOf = (bytes: string | null): object => {
    const text = JSON.stringify(schemas[Buffer.from(bytes ?? '', 'base64').readInt32BE(1)]);
    return JSON.parse(text.replaceAll(`"${RECORDED_AS}.public.`, `"${namespace}.public.`)) as object;
  };
  return { keySchema: schemaOf(record.key), valueSchema: schemaOf(record.value) };
}

interface RecordSchema {
  readonly fields: readonly { readonly name: string; readonly type: unknown }[];
}

const KINDS: Readonly<Record<string, RecordedColumn['kind']>> = {
  'io.debezium.time.Date': 'date',
  'io.debezium.time.MicroTime': 'time',
};

function columnsOf(envelope: object): RecordedColumn[] {
  const before = (envelope as RecordSchema).fields.find(({ name }) => name === 'before')?.type;
  const row = (before as readonly unknown[])[1] as RecordSchema;
  return row.fields.map(({ name, type }) => {
    const own = (Array.isArray(type) ? type[1] : type) as { readonly 'connect.name'?: string };
    return { name, kind: KINDS[own['connect.name'] ?? ''] ?? 'other' };
  });
}
