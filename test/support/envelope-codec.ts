/** Change records through the bytes and back, as a consumer would get them. */
import type { Type } from 'avsc';
import avro from 'avsc';
import { safeLongs } from '../../src/kafka/safe-long.ts';
import { columnsOf, envelopeSchema, keySchema } from './envelope-schemas.ts';
import type { Generation } from './envelope-schemas.ts';

export const PREFIX = 'farm';

/** 2024-05-01T10:00:00Z in ms; its nanoseconds do not fit a number. */
export const COMMITTED_MS = 1_714_557_600_000;

const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  key: 1,
  long: 1,
  int: 1,
  text: 'text',
  numeric: '1.00',
  double: 1,
  bool: true,
  date: 19_500,
  time: 28_800_000_000,
  timestamptz: '2023-05-23T10:15:00.000000Z',
};

/** A whole row of the table: the given values, null or placeholders for the others. */
export function sourceRow(
  table: string,
  generation: Generation,
  values: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return Object.fromEntries(
    columnsOf(table, generation).map(({ name, type, nullable }) => [
      name,
      name in values ? values[name] : nullable ? null : PLACEHOLDERS[type],
    ]),
  );
}

export interface EnvelopeParts {
  readonly op?: string;
  readonly before?: object | null;
  readonly after?: object | null;
  readonly snapshot?: string | null;
  readonly schema?: string;
  readonly transaction?: object | null;
}

/** The envelope as it stands before it is encoded. */
export function envelope(table: string, parts: EnvelopeParts): Record<string, unknown> {
  return {
    before: parts.before ?? null,
    after: parts.after ?? null,
    source: {
      version: '3.6.1.Final',
      connector: 'postgresql',
      name: PREFIX,
      ts_ms: COMMITTED_MS,
      snapshot: parts.snapshot === undefined ? 'false' : parts.snapshot,
      db: 'farm',
      sequence: '["24023128","24023184"]',
      ts_us: COMMITTED_MS * 1000,
      ts_ns: BigInt(COMMITTED_MS) * 1_000_000n,
      schema: parts.schema ?? 'public',
      table,
      txId: 771,
      lsn: 24_023_184,
      xmin: null,
    },
    transaction: parts.transaction ?? null,
    op: parts.op ?? 'c',
    ts_ms: COMMITTED_MS + 20,
    ts_us: (COMMITTED_MS + 20) * 1000,
    ts_ns: BigInt(COMMITTED_MS + 20) * 1_000_000n,
  };
}

export interface TableCodec {
  readonly topic: string;
  readonly keyType: Type;
  readonly valueType: Type;
  /** The envelope of these parts, as `valueType` encodes it. */
  encodable(parts: EnvelopeParts): object;
  /** The envelope of these parts, through Avro. */
  value(parts: EnvelopeParts): unknown;
  key(row: object): unknown;
}

export function tableCodec(table: string, generation: Generation): TableCodec {
  const keyType = avro.Type.forSchema(keySchema(PREFIX, table, generation) as never, { typeHook: safeLongs });
  const valueType = avro.Type.forSchema(envelopeSchema(PREFIX, table, generation) as never, {
    typeHook: safeLongs,
  });
  return {
    topic: `${PREFIX}.public.${table}`,
    keyType,
    valueType,
    encodable: (parts) => envelope(table, parts),
    value: (parts) => valueType.fromBuffer(valueType.toBuffer(envelope(table, parts))),
    key: (row) => keyType.fromBuffer(keyType.toBuffer(row)),
  };
}
