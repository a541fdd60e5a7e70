/** Databases of a test's own on the stack's source server, so that files of tests do not meet. */
import pg from 'pg';
import type { PgEndpoint } from '../../src/stack/config.ts';
import { type SchemaGeneration, createSourceSchema } from '../../src/demo/source-database.ts';

/** Makes an empty database and hands back its endpoint. */
export async function createDatabase(server: PgEndpoint, database: string): Promise<PgEndpoint> {
  await inSource(server, `create database ${pg.escapeIdentifier(database)}`);
  return { ...server, database };
}

/** Makes AquaMind's captured tables. */
export async function createFarm(source: PgEndpoint, generation: SchemaGeneration): Promise<void> {
  await withClient(source, (client) => createSourceSchema(client, generation));
}

/** Runs one statement in the source and hands back its rows. */
export async function inSource<T extends pg.QueryResultRow>(
  source: PgEndpoint,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> {
  return withClient(source, async (client) => (await client.query<T>(sql, [...values])).rows);
}

async function withClient<T>(source: PgEndpoint, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...source });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
