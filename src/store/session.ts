/**
 * A connection with the schema it speaks of. Rows come as arrays, values parsed by types of our own, which are
 * passed with each statement: neither the driver's global parsers nor the pool's are touched.
 */
import type { ClientBase, CustomTypesConfig, QueryArrayResult } from 'pg';

import { textDay } from './days.ts';
import { fromDriver } from './errors.ts';

/** Which build the schema was made for. */
export type Build = 'timescale' | 'plain';

/** Where the tables are. */
export interface Names {
  readonly schema: string;
  /** Holds the sequences that live and replayed schemas share. */
  readonly shared: string;
}

const NAME = /^[a-z_][a-z0-9_]{0,47}$/;

/** Throws a RangeError for a name that would need quoting: names are pasted into statements. */
export function checkedNames(names: Names): Names {
  for (const name of [names.schema, names.shared]) {
    if (!NAME.test(name)) throw new RangeError(`not a schema name (a–z, 0–9, _, at most 48): ${name}`);
  }
  return names;
}

const OIDS = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  float4: 700,
  float8: 701,
  date: 1082,
  numeric: 1700,
  bytea: 17,
};

const parsers = new Map<number, (text: string) => unknown>([
  [OIDS.bool, (text) => text === 't'],
  [OIDS.int8, safeInteger],
  [OIDS.int2, Number],
  [OIDS.int4, Number],
  [OIDS.float4, Number],
  [OIDS.float8, Number],
  [OIDS.numeric, Number],
  [OIDS.date, textDay],
  [OIDS.bytea, (text) => Buffer.from(text.slice(2), 'hex')],
]);
const asText = (text: string): string => text;
const TYPES: CustomTypesConfig = { getTypeParser: (oid: number) => parsers.get(oid) ?? asText };

/** Ids and counts are safe integers; whatever may exceed them (sequences, offsets) is selected as text. */
function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`beyond the safe integers: ${text}`);
  return value;
}

export class Session {
  readonly client: ClientBase;
  readonly names: Names;

  constructor(client: ClientBase, names: Names) {
    this.client = client;
    this.names = names;
  }

  /** A table's name with its schema. */
  t(table: string): string {
    return `${this.names.schema}.${table}`;
  }

  async rows<R extends readonly unknown[]>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return (await this.#query(text, values)).rows as unknown as R[];
  }

  /** The first row; undefined where there is none. */
  async first<R extends readonly unknown[]>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<R | undefined> {
    return (await this.rows<R>(text, values))[0];
  }

  /** How many rows the statement wrote. */
  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#query(text, values)).rowCount ?? 0;
  }

  async #query(text: string, values: readonly unknown[]): Promise<QueryArrayResult> {
    try {
      return await this.client.query({ text, values: [...values], rowMode: 'array', types: TYPES });
    } catch (error) {
      throw fromDriver(error);
    }
  }
}

/** Where TimescaleDB's functions are: they are named with it, because a search path may lack it. */
export async function extensionSchema(session: Session): Promise<string> {
  const row = await session.first<[string]>(
    `SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'timescaledb'`,
  );
  return row?.[0] ?? 'public';
}
