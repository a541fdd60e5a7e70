/** Rows that a table held before it was captured. */
import type { ConnectClient } from './client.ts';
import { type PgConfig, requestSnapshot } from './source.ts';

export interface TableSnapshot {
  readonly client: ConnectClient;
  /** The connector's name. */
  readonly connector: string;
  /** The source, as a role that may write the signal table. */
  readonly source: PgConfig;
  readonly tables: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Brings the rows of tables that were added to a running connector's publication, while changes stream on.
 * The connector is restarted first: it snapshots no table that it did not see when it started, and says so only
 * in its log.
 */
export async function snapshotAddedTables(snapshot: TableSnapshot): Promise<void> {
  const { client, connector, source, tables, timeoutMs } = snapshot;
  if (tables.length === 0) return;
  await client.restart(connector);
  await client.awaitRunning(connector, timeoutMs);
  await requestSnapshot(source, tables);
}
