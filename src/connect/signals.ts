/** Requests to the connector: rows of its signal table in the source. */
import { SOURCE_SCHEMA } from '../domain/topics.ts';
import { withSource } from './source-client.ts';
import type { PgConfig } from './source-client.ts';
import { SIGNAL_TABLE } from './source-state.ts';

/**
 * Asks for all rows of tables that are captured already, while changes stream on; a request that was made before stays
 * the one it was. What the connector tells of it bears the request's id.
 */
export function requestSnapshot(source: PgConfig, id: string, tables: readonly string[]): Promise<void> {
  return signal(source, id, 'execute-snapshot', tables);
}

/** Asks it to leave off; tables that it has read already are of no concern. */
export function stopSnapshot(source: PgConfig, id: string, tables: readonly string[]): Promise<void> {
  return signal(source, `${id}-stop`, 'stop-snapshot', tables);
}

/** Tables that this source sends, by the publication, without their schema. */
export async function tablesSent(source: PgConfig, publication: string): Promise<ReadonlySet<string>> {
  return withSource(source, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'select tablename as name from pg_publication_tables where pubname = $1 and schemaname = $2',
      [publication, SOURCE_SCHEMA],
    );
    return new Set(rows.map(({ name }) => name));
  });
}

async function signal(source: PgConfig, id: string, type: string, tables: readonly string[]): Promise<void> {
  const data = {
    'data-collections': tables.map((table) => `${SOURCE_SCHEMA}.${table}`),
    type: 'incremental',
  };
  await withSource(source, (client) =>
    client.query(
      `insert into ${SIGNAL_TABLE} (id, type, data) values ($1, $2, $3) on conflict (id) do nothing`,
      [id, type, JSON.stringify(data)],
    ),
  );
}
