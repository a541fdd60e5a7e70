/** The state store and the work in it made ill, one thing at a time. */
import { isoToDay } from '../../src/domain/day.ts';
import type {
  ResnapshotRun,
  StoreTable,
  StoreTransaction,
  TimescaleJob,
} from '../../src/doctor/judge/evidence-store.ts';
import type { Case } from '../support/doctor-evidence.ts';

const GB = 1024 ** 3;

const table = (fields: Partial<StoreTable>) => ({
  storeTables: (well: readonly StoreTable[]) => well.map((one) => ({ ...one, ...fields })),
});

const job = (fields: Partial<TimescaleJob>) => ({
  storeJobs: (well: readonly TimescaleJob[] | null) =>
    (well ?? []).map((one, index) => (index === 0 ? { ...one, ...fields } : one)),
});

const transaction = (ageMs: number, fields: Partial<StoreTransaction> = {}) => ({
  storeSessions: () => ({
    hidden: 0,
    transactions: [{ pid: 7, application: 'psql', state: 'active', ageMs, quietMs: ageMs, ...fields }],
  }),
});

const room = (freeGb: number) => ({
  storeDisk: { local: { folder: '/data', freeBytes: freeGb * GB, totalBytes: 100 * GB } },
});

const run = (fields: Partial<ResnapshotRun>, state: string, note: string | null = null) => ({
  storeResnapshot: (): ResnapshotRun => ({
    open: false,
    startedMs: 0,
    outcome: 'done',
    why: null,
    tables: [{ table: 'batch_growthsample', state, gone: 3, note }],
    ...fields,
  }),
});

export const STORE_CASES: readonly Case[] = [
  {
    what: 'Postgres 14',
    check: 'store-version',
    changes: { storeServer: { version: 140_009 } },
    finds: [/^critical the state store: Postgres 14\.9/],
  },
  {
    what: 'a store that is read-only',
    check: 'store-version',
    changes: { storeServer: { readOnly: true } },
    finds: [/^critical .*read-only/],
  },
  {
    what: 'no schema',
    check: 'store-migrations',
    changes: { storeSchema: { build: null } },
    finds: [/^critical schema anchorline: it is not there/],
    mend: /anchorline migrate/,
  },
  {
    what: 'missing migrations',
    check: 'store-migrations',
    changes: { storeSchema: { missingMigrations: ['1007_dead_letter_keys'] } },
    finds: [/^critical .*1 migrations are missing: 1007_dead_letter_keys/],
    breaks: /STO005/,
  },
  {
    what: 'other settings and other rules',
    check: 'store-settings',
    changes: {
      storeSchema: { engineVersion: 2, differences: ['timeZone is "UTC" there and "Europe/Oslo" here'] },
    },
    finds: [/^critical .*timeZone is "UTC" there.*version 2 there and 1 here/],
    breaks: /CFG010, CFG011/,
  },

  {
    what: 'a superuser',
    check: 'store-role',
    changes: {
      storeRole: (well) => ({
        ...well,
        held: [{ on: 'role', name: 'app', right: 'SUPERUSER', everybody: false }],
      }),
    },
    finds: [/^warning role app: .*as a superuser/],
  },
  {
    what: 'a right that is missing, and one too many',
    check: 'store-role',
    changes: {
      storeRole: (well) => ({
        ...well,
        held: [
          ...well.held.filter(({ name, right }) => !(name === 'anchorline.dirt' && right === 'DELETE')),
          { on: 'table', name: 'anchorline.dirt', right: 'TRUNCATE', everybody: false },
          // A replay's schema is ours as well.
          { on: 'table', name: 'replay_2.dirt', right: 'DELETE', everybody: false },
        ],
      }),
    },
    finds: [
      /^critical role app: it lacks DELETE on table anchorline\.dirt$/,
      /^warning role app: it has TRUNCATE on table anchorline\.dirt/,
    ],
    mend: /anchorline migrate/,
  },

  { what: 'a disk that fills', check: 'store-disk', changes: room(14), finds: [/^warning .*14 % free/] },
  {
    what: 'a disk that is nearly full',
    check: 'store-disk',
    changes: room(4),
    finds: [/^critical .*4 % free/],
  },
  {
    what: 'a disk that is full tonight at this pace',
    check: 'store-disk',
    changes: { storeDisk: { grownBytes: 10 * 1024 ** 2 * 3 } },
    finds: [/^warning .*50 % free/],
    breaks: /full in 85 min/,
  },
  {
    what: 'a disk on another machine',
    check: 'store-disk',
    changes: { storeDisk: { local: null } },
    finds: [/^unknown .*1\.0 GB, growing by 0 B\/h/],
    mend: /doctor\.storeDiskGb/,
  },
  {
    what: 'a disk on another machine whose size is set',
    check: 'store-disk',
    changes: {
      storeDisk: { local: null, serverBytes: 9.5 * GB },
      context: (well) => ({ ...well, store: { ...well.store, diskBytes: 10 * GB } }),
    },
    finds: [/^warning .*5 % free \(512\.0 MB of 10\.0 GB, doctor\.storeDiskGb/],
  },

  {
    what: 'few connections left',
    check: 'store-connections',
    changes: { storeServer: { used: 90 } },
    finds: [/^warning connections: 7 of 97 are free/],
  },
  {
    what: 'no connection left',
    check: 'store-connections',
    changes: { storeServer: { used: 97 } },
    finds: [/^critical connections: 0 of 97/],
  },
  {
    what: 'a transaction idle for minutes',
    check: 'store-transactions',
    changes: transaction(400_000, { state: 'idle in transaction' }),
    finds: [/^warning transaction of psql, pid 7: open for 7 min, idle in transaction for 7 min/],
    mend: /pg_terminate_backend\(7\)/,
  },
  {
    what: 'a transaction open for an hour',
    check: 'store-transactions',
    changes: transaction(3_600_000),
    finds: [/^critical .*open for 60 min/],
  },
  {
    what: 'sessions that are hidden',
    check: 'store-transactions',
    changes: { storeSessions: { hidden: 3 } },
    finds: [/^info transactions: 3 sessions/],
    mend: /pg_read_all_stats/,
  },
  {
    what: 'many dead rows',
    check: 'store-vacuum',
    changes: table({ dead: 100_000 }),
    finds: [/^warning anchorline\.dirt: 100000 dead rows/],
  },
  {
    what: 'very many dead rows',
    check: 'store-vacuum',
    changes: table({ dead: 1_000_000, vacuumedMs: null }),
    finds: [/^critical .*never vacuumed/],
  },
  {
    what: 'dead rows that are few against the living',
    check: 'store-vacuum',
    changes: table({ dead: 150_000, live: 900_000 }),
    finds: [],
  },
  {
    what: 'autovacuum switched off',
    check: 'store-vacuum',
    changes: table({ autovacuum: false }),
    finds: [/^warning .*autovacuum is off/],
  },

  {
    what: 'a job that fails',
    check: 'timescale-jobs',
    changes: job({ lastSucceeded: false, failures: 3, error: 'out of luck' }),
    finds: [/^warning job 1000, policy_compression of daily_state: .*3 of 9 did.*out of luck/],
    mend: /CALL run_job\(1000\)/,
  },
  {
    what: 'a job that has been failing for days',
    check: 'timescale-jobs',
    changes: job({ lastSucceeded: false, lastSuccessMs: 3 * 86_400_000 }),
    finds: [/^critical .*last succeeded 3 d ago/],
  },
  {
    what: 'a job that never succeeded',
    check: 'timescale-jobs',
    changes: job({ lastSucceeded: false, lastSuccessMs: null }),
    finds: [/^critical .*never succeeded/],
  },
  {
    what: 'a job that nobody runs',
    check: 'timescale-jobs',
    changes: job({ nextInMs: -7_200_000 }),
    finds: [/^warning .*2 h ago/],
    mend: /max_background_workers/,
  },
  {
    what: 'a job that is switched off',
    check: 'timescale-jobs',
    changes: job({ scheduled: false }),
    finds: [/^warning .*switched off/],
    mend: /alter_job\(1000, scheduled => true\)/,
  },
  { what: 'a plain build', check: 'timescale-jobs', changes: { storeJobs: () => null }, finds: [] },
  {
    what: 'missing policies',
    check: 'timescale-policies',
    changes: { storeJobs: () => [] },
    finds: [
      /^info anchorline\.daily_state: it has no policy_compression/,
      /^info anchorline\.reading/,
      /^warning anchorline\.assignment_week_live: it has no policy_refresh/,
    ],
  },

  {
    what: 'dirt that waits for minutes',
    check: 'dirt',
    changes: { storeWork: { dirtOldestMs: 300_000 } },
    finds: [/^warning dirt: 2 assignments wait, the oldest for 5 min; 0 wait 3 s later/],
  },
  {
    what: 'dirt that waits for an hour',
    check: 'dirt',
    changes: { storeWork: { dirtOldestMs: 3_600_000 } },
    finds: [/^critical dirt/],
  },
  {
    what: 'dirt that waits for a snapshot’s end',
    check: 'dirt',
    changes: { storeWork: { dirtOldestMs: 3_600_000, snapshotRunning: true } },
    finds: [/^info dirt/],
  },
  {
    what: 'a parked assignment',
    check: 'parked',
    changes: {
      storeWork: { setAside: 4, parked: [{ assignmentId: 9, code: 'CMP001', message: 'no' }] },
    },
    finds: [/^warning parked assignments: 1, with 4 changes set aside: 9 \(CMP001: no\)/],
    mend: /anchorline retry --all/,
  },
  {
    what: 'dead letters',
    check: 'dead-letters',
    changes: { storeWork: { deadLetters: [{ code: 'REC006', count: 3, message: 'NaN' }] } },
    finds: [/^warning dead letters: 3 are open: 3 × REC006, e\.g\. NaN/],
    mend: /dead-letters replay/,
  },
  {
    what: 'a hundred dead letters',
    check: 'dead-letters',
    changes: { storeWork: { deadLetters: [{ code: 'REC002', count: 100, message: 'schema 4' }] } },
    finds: [/^critical dead letters: 100/],
  },
  {
    what: 'rows that wait to be published',
    check: 'publication-backlog',
    changes: { storeWork: { publicationOldestMs: 400_000 } },
    finds: [/^warning publication log: 1 entries wait, the oldest for 7 min/],
  },
  {
    what: 'rows that have waited for an hour',
    check: 'publication-backlog',
    changes: { storeWork: { publicationOldestMs: 3_600_000 } },
    finds: [/^critical publication log/],
  },
  {
    what: 'a resnapshot with a table that is held',
    check: 'resnapshot',
    changes: run({ open: true, outcome: null }, 'held', '12 % of its facts would go'),
    finds: [/^warning resnapshot: 1 tables are held: batch_growthsample \(12 % of its facts would go\)/],
    mend: /resnapshot sweep --force/,
  },
  {
    what: 'a resnapshot under way',
    check: 'resnapshot',
    changes: run({ open: true, outcome: null }, 'waiting'),
    finds: [/^info resnapshot: one is under way/],
  },
  {
    what: 'a resnapshot that failed',
    check: 'resnapshot',
    changes: run({ outcome: 'failed', why: 'no connector' }, 'failed', 'not read'),
    finds: [/^warning resnapshot: the last one failed: no connector; batch_growthsample \(not read\)/],
  },
  {
    what: 'a resnapshot that is done',
    check: 'resnapshot',
    changes: run({}, 'done'),
    finds: [],
  },
  {
    what: 'yesterday’s horizon',
    check: 'horizon',
    changes: { storeWork: { horizon: isoToDay('2025-08-15') } },
    finds: [/^warning horizon: 2025-08-15, 1 days behind 2025-08-16/],
  },
  {
    what: 'last week’s horizon',
    check: 'horizon',
    changes: { storeWork: { horizon: isoToDay('2025-08-09') } },
    finds: [/^critical horizon: 2025-08-09, 7 days/],
  },
  {
    what: 'no horizon',
    check: 'horizon',
    changes: { storeWork: { horizon: null } },
    finds: [/^critical horizon: it was never set/],
  },
  {
    what: 'nobody who leads',
    check: 'leases',
    changes: { storeLeases: () => [] },
    finds: [/^critical lease publish-0: nobody/, /^warning lease scheduler/, /^warning lease supervisor/],
    mend: /run --roles publish/,
  },
  {
    what: 'a leader that is gone',
    check: 'leases',
    changes: { storeLeases: (well) => well.map((lease) => ({ ...lease, leftMs: -60_000 })) },
    finds: [/^critical lease publish-0: .*60 s ago/, /^warning lease scheduler/, /^warning lease supervisor/],
  },
];
