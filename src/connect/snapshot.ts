/** Rows that a table held before it was captured. */
import type { ConnectClient } from './client.ts';
import { type PgConfig, withSource } from './source-client.ts';
import { AWAITING_TABLE, SIGNAL_TABLE } from './source-state.ts';

export interface TableSnapshot {
  readonly client: ConnectClient;
  /** The connector's name. */
  readonly connector: string;
  /** The source, as a role that may write the signal table. */
  readonly source: PgConfig;
  readonly publication: string;
  /** With their schema. */
  readonly tables: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Brings the rows of tables that were added to a running connector's publication, while changes stream on.
 * The connector is restarted first: it snapshots no table that it did not see when it started, and says so only
 * in its log.
 */
export async function snapshotAddedTables(snapshot: TableSnapshot): Promise<void> {
  const { client, connector, tables, timeoutMs } = snapshot;
  if (tables.length === 0) return;
  await client.restart(connector);
  await client.awaitRunning(connector, timeoutMs);
  await requestSnapshot(snapshot);
}

/**
 * Asks the connector for all rows of tables that it captures already. Asked for and no longer awaited in one
 * transaction: whoever is interrupted before it finds them awaited still, and a signal in the log is never lost.
 */
async function requestSnapshot({ source, publication, tables }: TableSnapshot): Promise<void> {
  await withSource(source, async (client) => {
    await client.query(
      `with asked as (
         insert into ${SIGNAL_TABLE} (id, type, data)
         select gen_random_uuid(), 'execute-snapshot',
                json_build_object('data-collections', $1::text[], 'type', 'incremental')
       )
       delete from ${AWAITING_TABLE} where publication = $2 and table_name = any ($1)`,
      [tables, publication],
    );
  });
}
