/** What the state store's server keeps of itself: sessions, dead rows, jobs, room. */
import { statfs } from 'node:fs/promises';

import { errorCode } from '../../runtime/describe-error.ts';
import { readBuild } from '../../store/migrate.ts';
import type { Names } from '../../store/session.ts';
import type { Clock } from '../../domain/ports.ts';
import type {
  StoreDisk,
  StoreSessions,
  StoreTable,
  StoreTransaction,
  TimescaleJob,
} from '../judge/evidence-store.ts';
import { rowOf, rowsFrom, rowsOf, withClient } from './postgres.ts';
import type { Reader } from './postgres.ts';
import { lookTwice } from './two-looks.ts';

/** More than anybody reads. */
const MOST = 50;

export async function sessionsOf(store: Reader): Promise<StoreSessions> {
  const transactions = await rowsOf<StoreTransaction & Record<string, unknown>>(
    store,
    `SELECT pid, coalesce(application_name, '') AS application, coalesce(state, 'unknown') AS state,
       (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS "ageMs",
       (extract(epoch FROM clock_timestamp() - coalesce(state_change, xact_start)) * 1000)::float8 AS "quietMs"
     FROM pg_stat_activity
     WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
       AND backend_type = 'client backend'
     ORDER BY xact_start LIMIT ${MOST}`,
  );
  // Of others' sessions one without the right sees that they are, and nothing else.
  const { hidden } = await rowOf<{ hidden: number }>(
    store,
    `SELECT count(*)::int AS hidden FROM pg_stat_activity
     WHERE datname = current_database() AND usename IS NOT NULL AND backend_type IS NULL`,
  );
  return { transactions, hidden };
}

export async function tablesOf(store: Reader, { schema }: Names): Promise<readonly StoreTable[]> {
  return rowsOf<StoreTable & Record<string, unknown>>(
    store,
    `SELECT s.relname AS table, s.n_live_tup::float8 AS live, s.n_dead_tup::float8 AS dead,
       pg_total_relation_size(s.relid)::float8 AS bytes,
       current_setting('autovacuum') = 'on'
         AND NOT coalesce(c.reloptions && '{autovacuum_enabled=false,autovacuum_enabled=off}', false) AS autovacuum,
       (extract(epoch FROM clock_timestamp() - greatest(s.last_vacuum, s.last_autovacuum)) * 1000)::float8 AS "vacuumedMs"
     FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
     WHERE s.schemaname = $1 ORDER BY s.n_dead_tup DESC, s.relname`,
    [schema],
  );
}

/** null: the schema was made without TimescaleDB. */
export async function jobsOf(store: Reader, names: Names): Promise<readonly TimescaleJob[] | null> {
  return withClient(store, async (client) => {
    if ((await readBuild(client, names)) !== 'timescale') return null;
    return rowsFrom<TimescaleJob & Record<string, unknown>>(client, JOBS, [names.schema]);
  });
}

/** Older versions name an aggregate's hypertable instead of the aggregate. */
const JOBS = `
SELECT j.job_id AS id, j.proc_name AS procedure, coalesce(v.view_name, j.hypertable_name)::text AS relation,
  j.scheduled, s.last_run_status = 'Success' AS "lastSucceeded",
  CASE WHEN s.last_successful_finish > '-infinity'
    THEN (extract(epoch FROM clock_timestamp() - s.last_successful_finish) * 1000)::float8 END AS "lastSuccessMs",
  coalesce(s.total_failures, 0)::float8 AS failures, coalesce(s.total_runs, 0)::float8 AS runs, e.err_message AS error,
  CASE WHEN s.next_start > '-infinity' AND s.job_status IS DISTINCT FROM 'Running'
    THEN (extract(epoch FROM s.next_start - clock_timestamp()) * 1000)::float8 END AS "nextInMs"
FROM timescaledb_information.jobs j
LEFT JOIN timescaledb_information.job_stats s ON s.job_id = j.job_id
LEFT JOIN timescaledb_information.continuous_aggregates v
  ON v.materialization_hypertable_schema = j.hypertable_schema AND v.materialization_hypertable_name = j.hypertable_name
LEFT JOIN LATERAL (
  SELECT err_message FROM timescaledb_information.job_errors e
  WHERE e.job_id = j.job_id ORDER BY e.finish_time DESC NULLS LAST LIMIT 1) e ON true
WHERE coalesce(v.view_schema, j.hypertable_schema) = $1
ORDER BY j.job_id`;

interface DiskTarget {
  readonly store: Reader;
  readonly isLocal: boolean;
  readonly clock: Clock;
  readonly intervalMs: number;
}

export async function diskOf(
  { store, isLocal, clock, intervalMs }: DiskTarget,
  signal: AbortSignal,
): Promise<StoreDisk> {
  const size = () => rowOf<{ bytes: number }>(store, DATABASE_SIZE);
  const { first, second, elapsedMs } = await lookTwice(clock, intervalMs, signal, size);
  const { folder } = await rowOf<{ folder: string | null }>(
    store,
    `SELECT (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS folder`,
  );
  return {
    databaseBytes: second.bytes,
    serverBytes: await serverSize(store).catch(whenForbidden),
    grownBytes: second.bytes - first.bytes,
    elapsedMs,
    local: isLocal && folder !== null ? await roomOf(folder) : null,
  };
}

const DATABASE_SIZE = 'SELECT pg_database_size(current_database())::float8 AS bytes';

const FORBIDDEN = '42501';

/** null: a server may keep even its catalogues to itself. */
function whenForbidden(error: unknown): null {
  if (errorCode(error) === FORBIDDEN) return null;
  throw error;
}

/** null: this role may not look at the WAL or at other databases. */
async function serverSize(store: Reader): Promise<number | null> {
  const { may } = await rowOf<{ may: boolean }>(
    store,
    `SELECT has_function_privilege('pg_ls_waldir()', 'EXECUTE')
       AND (pg_has_role('pg_read_all_stats', 'USAGE')
         OR NOT EXISTS (SELECT FROM pg_database WHERE NOT has_database_privilege(oid, 'CONNECT'))) AS may`,
  );
  if (!may) return null;
  const { bytes } = await rowOf<{ bytes: number }>(
    store,
    `SELECT ((SELECT sum(pg_database_size(oid)) FROM pg_database)
       + (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()))::float8 AS bytes`,
  );
  return bytes;
}

/** null: the folder is not on this machine, whatever the address says (a container's port, a tunnel). */
async function roomOf(folder: string): Promise<StoreDisk['local']> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return null;
  }
}
