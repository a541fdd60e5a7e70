/** Reading a database for the length of an examination: nothing is written, and no statement runs for ever. */
import type { Pool, PoolClient, QueryResultRow } from 'pg';

import { createPool } from '../../store/transaction.ts';

/** Looks are short: two connections serve them all, one for the quick and one for a scan. */
const CONNECTIONS = 2;

const GRACE_MS = 2_000;

/** A pool, or what connects for one. */
export interface Reader {
  connect(): Promise<PoolClient>;
}

export function openForReading(config: Parameters<typeof createPool>[0], timeoutMs: number): Pool {
  return createPool(
    {
      ...config,
      max: CONNECTIONS,
      application_name: 'anchorline doctor',
      // Only for a server that is gone: one that answers ends the statement itself.
      query_timeout: timeoutMs + GRACE_MS,
      // Before a connection is handed out for the first time.
      verify(client, done) {
        // Lost between two statements, it says so by an event, which unheard would end the process.
        client.on('error', () => undefined);
        const readOnly = `SET default_transaction_read_only = on; SET statement_timeout = ${timeoutMs}`;
        client.query(readOnly, (error: Error | null) => done(error ?? undefined));
      },
    },
    () => undefined,
  );
}

export async function withClient<T>(reader: Reader, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await reader.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

/** The rows, with text, numbers and JSON as the driver gives them; bigints are to be cast in the statement. */
export async function rowsOf<T extends QueryResultRow>(
  reader: Reader,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> {
  return withClient(reader, (client) => rowsFrom<T>(client, text, values));
}

export async function rowsFrom<T extends QueryResultRow>(
  client: PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> {
  return (await client.query<T>(text, [...values])).rows;
}

/** The only row of a statement that always has one. */
export async function rowOf<T extends QueryResultRow>(
  reader: Reader,
  text: string,
  values: readonly unknown[] = [],
): Promise<T> {
  const [row] = await rowsOf<T>(reader, text, values);
  if (row === undefined) throw new Error('the server gave no row');
  return row;
}
