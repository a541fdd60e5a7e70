/** Looks at the state store: server, schema, and the work that waits in it. */
import type { Pool } from 'pg';

import { ENGINE_VERSION } from '../../domain/settings.ts';
import type { EngineSettings } from '../../domain/settings.ts';
import type { Clock } from '../../domain/ports.ts';
import { readRights } from '../../postgres/rights.ts';
import { parkedAssignments } from '../../store/dirt.ts';
import { missingMigrations, readBuild } from '../../store/migrate.ts';
import { latestRun } from '../../store/resnapshot-runs.ts';
import type { Names } from '../../store/session.ts';
import { settingsDifferences, storedSettings } from '../../store/settings.ts';
import { snapshotRunning } from '../../store/snapshots.ts';
import { readStatus } from '../../store/status.ts';
import { connect, inSession } from '../../store/transaction.ts';
import type {
  Lease,
  LettersByCode,
  ResnapshotRun,
  StoreRole,
  StoreSchema,
  StoreServer,
  StoreWork,
} from '../judge/evidence-store.ts';
import type { Probes } from '../probe.ts';
import type { StoredPosition } from './kafka.ts';
import { rowOf, rowsFrom, rowsOf, withClient } from './postgres.ts';
import type { Reader } from './postgres.ts';
import { serverOf } from './postgres-server.ts';
import type { Told } from './postgres-server.ts';
import { diskOf, jobsOf, sessionsOf, tablesOf } from './store-server.ts';
import { lookTwice } from './two-looks.ts';

export interface StoreTarget {
  readonly pool: Pool;
  readonly names: Names;
  /** For people: where it is, without its password. */
  readonly address: string;
  /** True where the server is on this machine, as far as its address tells. */
  readonly isLocal: boolean;
  readonly settings: EngineSettings;
  readonly snapshotLimitMs: number;
  readonly clock: Clock;
  readonly intervalMs: number;
}

export type StoreProbes = Pick<
  Probes,
  | 'storeServer'
  | 'storeSchema'
  | 'storeRole'
  | 'storeWork'
  | 'storeResnapshot'
  | 'storeLeases'
  | 'storeSessions'
  | 'storeTables'
  | 'storeJobs'
  | 'storeDisk'
>;

export function storeProbes(target: StoreTarget): StoreProbes {
  const { pool, names, clock } = target;
  const store = readerOf(pool);
  const server = {
    target: `the state store (${target.address})`,
    mend: 'Start the state store’s Postgres, or check store.url.',
  };
  const schema = {
    target: `schema ${names.schema} of the state store`,
    mend: 'Start the state store’s Postgres, or check store.url; run `anchorline migrate` where the schema is not there.',
  };
  return {
    storeServer: { ...server, look: () => serverOf<Told<StoreServer>>(store, clock, SERVER) },
    storeSchema: { ...server, look: () => schemaOf(target) },
    storeRole: { ...schema, look: () => roleOf(store) },
    storeWork: { ...schema, look: (signal) => workOf(target, signal) },
    storeResnapshot: { ...schema, look: () => resnapshotOf(pool, names) },
    storeLeases: { ...schema, look: () => leasesOf(store, names) },
    storeSessions: { ...server, look: () => sessionsOf(store) },
    storeTables: { ...schema, look: () => tablesOf(store, names) },
    storeJobs: { ...schema, look: () => jobsOf(store, names) },
    storeDisk: { ...server, look: (signal) => diskOf({ ...target, store }, signal) },
  };
}

/** A connection as processes get theirs: by TLS or without, as the settings and the server have it. */
function readerOf(pool: Pool): Reader {
  return { connect: () => connect(pool) };
}

/** By `topic/partition`: how far ingest has read, and whether it was behind for too long. */
export async function storedPositions(
  pool: Pool,
  names: Names,
): Promise<ReadonlyMap<string, StoredPosition>> {
  const rows = await rowsOf<{ at: string; next: string; doubt: boolean }>(
    readerOf(pool),
    `SELECT p.topic || '/' || p.partition AS at, p.next_offset::text AS next, e.doubt_since IS NOT NULL AS doubt
     FROM ${names.schema}.position p
     LEFT JOIN ${names.schema}.position_end e ON e.topic = p.topic AND e.partition = p.partition`,
  );
  return new Map(rows.map(({ at, next, doubt }) => [at, { next: BigInt(next), doubt }]));
}

/** `reset_val`: what other sessions have; this one has made itself read-only. */
const SERVER = `
SELECT current_setting('server_version_num')::int AS version,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs",
  current_setting('max_connections')::int AS "maxConnections",
  current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
  (SELECT coalesce(sum(numbackends), 0) FROM pg_stat_database)::int AS used,
  pg_is_in_recovery() OR (SELECT reset_val = 'on' FROM pg_settings
    WHERE name = 'default_transaction_read_only') AS "readOnly"`;

async function schemaOf({ pool, names, settings }: StoreTarget): Promise<StoreSchema> {
  const { timescale, license } = await rowOf<{ timescale: string | null; license: string | null }>(
    readerOf(pool),
    `SELECT (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
       current_setting('timescaledb.license', true) AS license`,
  );
  const about = { timescale, timescaleLicense: license, wantedEngineVersion: ENGINE_VERSION };
  return inSession(pool, names, async (session) => {
    const build = await readBuild(session.client, names);
    if (build === null) {
      return { ...about, build, missingMigrations: [], engineVersion: null, differences: [] };
    }
    const stored = await storedSettings(session);
    return {
      ...about,
      build,
      missingMigrations: await missingMigrations(session.client, names, build),
      engineVersion: stored?.engineVersion ?? null,
      differences: stored === null ? [] : settingsDifferences(stored.settings, settings),
    };
  });
}

/** By tables that nobody else would have together. */
const OWN_SCHEMAS = `
SELECT n.nspname::text AS name FROM pg_namespace n
WHERE (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid
  AND c.relname IN ('build', 'migration', 'publication_log', 'position', 'daily_state')) = 5`;

async function roleOf(store: Reader): Promise<StoreRole> {
  return withClient(store, async (client) => {
    const [who] = await rowsFrom<{ role: string; database: string }>(
      client,
      'SELECT current_user::text AS role, current_database()::text AS database',
    );
    const { role, database } = who as { role: string; database: string };
    const schemas = await rowsFrom<{ name: string }>(client, OWN_SCHEMAS);
    return { role, database, schemas: schemas.map(({ name }) => name), held: await readRights(client, role) };
  });
}

async function workOf(target: StoreTarget, signal: AbortSignal): Promise<StoreWork> {
  const { pool, names, clock, intervalMs } = target;
  const { first, second, elapsedMs } = await lookTwice(clock, intervalMs, signal, () =>
    inSession(pool, names, readStatus),
  );
  const { parked, running } = await inSession(pool, names, async (session) => ({
    parked: await parkedAssignments(session),
    running: await snapshotRunning(session, target.snapshotLimitMs),
  }));
  return {
    dirtAssignments: first.dirt.assignments,
    dirtOldestMs: first.dirt.oldestMs,
    parked: parked.map(({ assignmentId, code, message }) => ({ assignmentId, code, message })),
    setAside: first.setAside,
    publications: first.publications.entries,
    publicationOldestMs: first.publications.oldestMs,
    deadLetters: await lettersOf(readerOf(pool), names),
    horizon: first.horizon,
    snapshotRunning: running,
    later: {
      dirtAssignments: second.dirt.assignments,
      publications: second.publications.entries,
      elapsedMs,
    },
  };
}

async function resnapshotOf(pool: Pool, names: Names): Promise<ResnapshotRun | null> {
  const run = await inSession(pool, names, latestRun);
  if (run === null) return null;
  return {
    open: run.endedMs === null,
    startedMs: run.startedMs,
    outcome: run.outcome,
    why: run.why,
    tables: run.tables.map(({ table, state, gone, note }) => ({ table, state, gone, note })),
  };
}

async function lettersOf(store: Reader, { schema }: Names): Promise<readonly LettersByCode[]> {
  return rowsOf<LettersByCode & Record<string, unknown>>(
    store,
    `SELECT code, count(*)::int AS count, min(message) AS message FROM ${schema}.dead_letter
     WHERE state = 'open' GROUP BY code ORDER BY count(*) DESC, code`,
  );
}

async function leasesOf(store: Reader, { schema }: Names): Promise<readonly Lease[]> {
  return rowsOf<Lease & Record<string, unknown>>(
    store,
    `SELECT name, owner, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS "leftMs"
     FROM ${schema}.lease ORDER BY name`,
  );
}
