/** Looks at the farm's Postgres, through its catalogues and statistics. */
import { AWAITING_TABLE, readAwaiting } from '../../connect/source-state.ts';
import type { Clock } from '../../domain/ports.ts';
import { readRights } from '../../postgres/rights.ts';
import type { Probes } from '../probe.ts';
import type {
  HeartbeatTable,
  HeldRights,
  Publication,
  Slot,
  SlotLooks,
  SourceServer,
} from '../judge/evidence-source.ts';
import { rowOf, rowsOf, withClient } from './postgres.ts';
import type { Reader } from './postgres.ts';
import { serverOf } from './postgres-server.ts';
import type { Told } from './postgres-server.ts';
import { infiniteDates, sourceTables } from './source-tables.ts';
import type { DateSearch } from './source-tables.ts';
import { lookTwice } from './two-looks.ts';

export interface SourceTarget extends DateSearch {
  readonly source: Reader;
  /** For people: where it is, without its password. */
  readonly address: string;
  readonly role: string;
  readonly slot: string;
  readonly publication: string;
  readonly heartbeatTable: string;
  readonly signalTable: string;
  readonly clock: Clock;
  readonly intervalMs: number;
}

export type SourceProbes = Pick<
  Probes,
  | 'sourceServer'
  | 'sourceSlot'
  | 'sourcePublication'
  | 'sourceTables'
  | 'sourceRole'
  | 'sourceDates'
  | 'sourceHeartbeat'
>;

export function sourceProbes(target: SourceTarget): SourceProbes {
  const { source, clock, intervalMs } = target;
  const at = {
    target: `the source (${target.address})`,
    mend: 'Start the source, or check source.adminUrl and what pg_hba.conf lets in.',
  };
  return {
    sourceServer: { ...at, look: () => serverOf<Told<SourceServer>>(source, clock, SERVER) },
    sourceSlot: {
      ...at,
      look: (signal): Promise<SlotLooks> =>
        lookTwice(clock, intervalMs, signal, () => slotOf(source, target.slot)),
    },
    sourcePublication: { ...at, look: () => publicationOf(source, target.publication) },
    sourceTables: { ...at, look: () => sourceTables(source, target.captured) },
    sourceRole: { ...at, look: () => roleOf(source, target.role) },
    sourceDates: { ...at, look: (signal) => infiniteDates(source, target, signal) },
    sourceHeartbeat: { ...at, look: () => heartbeatOf(source, target) },
  };
}

/** A standby streams without a logical slot, or has left a physical one behind. */
const SERVER = `
SELECT current_setting('server_version_num')::int AS version,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs",
  pg_is_in_recovery() AS standby,
  current_setting('wal_level') AS "walLevel",
  (SELECT CASE WHEN setting::bigint < 0 THEN NULL ELSE setting::float8 * 1048576 END
   FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS "slotWalLimitBytes",
  current_setting('max_replication_slots')::int AS "maxSlots",
  (SELECT count(*) FROM pg_replication_slots)::int AS "usedSlots",
  current_setting('max_wal_senders')::int AS "maxSenders",
  (SELECT count(*) FROM pg_stat_replication)::int AS "usedSenders",
  ((SELECT count(*) FROM pg_stat_replication r
    WHERE coalesce(r.state, '') <> 'backup' AND NOT EXISTS (
      SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'))
   + (SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active))::int AS standbys,
  current_setting('synchronized_standby_slots', true) AS "synchronizedStandbySlots"`;

async function slotOf(source: Reader, slot: string): Promise<Slot | null> {
  return (await rowsOf<Slot & Record<string, unknown>>(source, SLOT, [slot]))[0] ?? null;
}

/** Columns that older servers lack are read as fields of the row's JSON. */
const SLOT = `
SELECT s.active, s.database, s.plugin,
  j ->> 'wal_status' AS "walStatus",
  (j ->> 'safe_wal_size')::float8 AS "safeWalBytes",
  pg_wal_lsn_diff(here.lsn, s.confirmed_flush_lsn)::float8 AS "lagBytes",
  pg_wal_lsn_diff(here.lsn, s.restart_lsn)::float8 AS "retainedBytes",
  (j ->> 'failover')::boolean AS failover,
  (j ->> 'synced')::boolean AS synced,
  j ->> 'invalidation_reason' AS "invalidationReason",
  (extract(epoch FROM clock_timestamp() - (j ->> 'inactive_since')::timestamptz) * 1000)::float8 AS "inactiveMs"
FROM pg_replication_slots s, LATERAL (SELECT to_jsonb(s) AS j) fields,
  (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) here
WHERE s.slot_name = $1`;

async function publicationOf(source: Reader, name: string): Promise<Publication | null> {
  const [found] = await rowsOf<Omit<Publication, 'tables'> & Record<string, unknown>>(
    source,
    `SELECT puballtables AS "allTables", pubinsert AS insert, pubupdate AS update, pubdelete AS delete
     FROM pg_publication WHERE pubname = $1`,
    [name],
  );
  if (found === undefined) return null;
  return { ...found, tables: await rowsOf(source, PUBLISHED, [name]) };
}

/** Column lists and row filters exist since 15. A generated column is left out by nobody's will. */
const PUBLISHED = `
SELECT t.schemaname || '.' || t.tablename AS table, to_jsonb(t) ->> 'rowfilter' AS "rowFilter",
  ARRAY(
    SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = format('%I.%I', t.schemaname, t.tablename)::regclass AND a.attnum > 0
      AND NOT a.attisdropped AND a.attgenerated = '' AND NOT coalesce(to_jsonb(t) -> 'attnames' ? a.attname, true)
  ) AS "leftOut"
FROM pg_publication_tables t WHERE t.pubname = $1 ORDER BY 1`;

async function roleOf(source: Reader, role: string): Promise<HeldRights | null> {
  const [known] = await rowsOf<{ expired: boolean }>(
    source,
    'SELECT coalesce(rolvaliduntil < now(), false) AS expired FROM pg_roles WHERE rolname = $1',
    [role],
  );
  return known === undefined
    ? null
    : { expired: known.expired, held: await withClient(source, (client) => readRights(client, role)) };
}

async function heartbeatOf(
  source: Reader,
  { heartbeatTable: heartbeat, signalTable: signal, publication }: SourceTarget,
): Promise<HeartbeatTable> {
  const found = await rowOf<{ heartbeat: boolean; signal: boolean }>(
    source,
    'SELECT to_regclass($1) IS NOT NULL AS heartbeat, to_regclass($2) IS NOT NULL AS signal',
    [heartbeat, signal],
  );
  const awaiting = await awaitingOf(source, publication);
  if (!found.heartbeat) return { ...found, beatAgeMs: null, awaiting };
  const { beatAgeMs } = await rowOf<{ beatAgeMs: number | null }>(
    source,
    `SELECT (extract(epoch FROM clock_timestamp() - max(beat_at)) * 1000)::float8 AS "beatAgeMs" FROM ${heartbeat}`,
  );
  return { ...found, beatAgeMs, awaiting };
}

/** Who published a table remembers it there until its earlier rows are asked for; an older preparation has none. */
async function awaitingOf(source: Reader, publication: string): Promise<readonly string[]> {
  const { there } = await rowOf<{ there: boolean }>(source, 'SELECT to_regclass($1) IS NOT NULL AS there', [
    AWAITING_TABLE,
  ]);
  return there ? withClient(source, (client) => readAwaiting(client, publication)) : [];
}
