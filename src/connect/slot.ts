/** The connector's slot as the source sees it, and dropping it. */
import { type PgConfig, withSource } from './source-client.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';

export interface SlotStatus {
  readonly slot: string;
  readonly active: boolean;
  /** WAL behind the newest that the connector has confirmed, bytes. */
  readonly lagBytes: number | null;
  /** WAL that the source keeps for the slot, bytes. */
  readonly retainedBytes: number | null;
  /** reserved, extended, unreserved or lost. */
  readonly walStatus: string | null;
}

/** The slot as the source sees it; null when there is none. */
export async function slotStatus(source: PgConfig, slot: string): Promise<SlotStatus | null> {
  return withSource(source, async (client) => {
    const { rows } = await client.query<{ active: boolean; lag: string; retained: string; status: string }>(
      `select active, wal_status as status,
              pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) as lag,
              pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) as retained
       from pg_replication_slots where slot_name = $1`,
      [slot],
    );
    const row = rows[0];
    if (row === undefined) return null;
    const bytes = (value: string | null) => (value === null ? null : Number(value));
    return {
      slot,
      active: row.active,
      lagBytes: bytes(row.lag),
      retainedBytes: bytes(row.retained),
      walStatus: row.status,
    };
  });
}

const LOOK_MS = 100;

/**
 * Drops the slot once nobody reads it; false where there is none. A connector that has ended holds its slot for a
 * moment longer; throws CON015 where somebody reads it still when time is up.
 */
export async function dropSlot(source: PgConfig, slot: string, timeoutMs: number): Promise<boolean> {
  return withSource(source, async (client) => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const { rows } = await client.query<{ pid: number | null }>(
        'select active_pid as pid from pg_replication_slots where slot_name = $1',
        [slot],
      );
      const [row] = rows;
      if (row === undefined) return false;
      if (row.pid === null) break;
      if (Date.now() >= deadline) {
        throw new ConnectError(
          CONNECT_ERRORS.stillUsed,
          `slot ${slot} is read by the source's process ${row.pid}: end whoever reads it, then run this again`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    await client.query('select pg_drop_replication_slot($1)', [slot]);
    return true;
  });
}
