/** The farm's Postgres made ill, one thing at a time. */
import type { HeldRight } from '../../src/domain/rights.ts';
import type { Slot, SourceTable } from '../../src/doctor/judge/evidence-source.ts';
import { WELL } from '../support/doctor-evidence.ts';
import type { Case } from '../support/doctor-evidence.ts';

const GB = 1024 ** 3;
const WELL_SLOT = WELL.sourceSlot.second as Slot;

/** The slot with these fields at both looks. */
const slot = (fields: Partial<Slot>) => ({
  sourceSlot: () => {
    const one = { ...WELL_SLOT, ...fields };
    return { first: one, second: one, elapsedMs: 3_000 };
  },
});
const noSlot = { sourceSlot: () => ({ first: null, second: null, elapsedMs: 3_000 }) };

/** The first table with these fields. */
const samples = (fields: Partial<SourceTable>) => ({
  sourceTables: ([first, ...others]: readonly SourceTable[]) => [
    { ...(first as SourceTable), ...fields },
    ...others,
  ],
});

const without = (on: string, right: string, name?: string) => ({
  sourceRole: (well: typeof WELL.sourceRole) => ({
    expired: false,
    held: (well?.held ?? []).filter(
      (held) => !(held.on === on && held.right === right && (name === undefined || held.name === name)),
    ),
  }),
});

const holding = (...more: readonly Omit<HeldRight, 'everybody'>[]) => ({
  sourceRole: (well: typeof WELL.sourceRole) => ({
    expired: false,
    held: [...(well?.held ?? []), ...more.map((right) => ({ ...right, everybody: false }))],
  }),
});

export const SOURCE_CASES: readonly Case[] = [
  {
    what: 'wal_level replica',
    check: 'wal-level',
    changes: { sourceServer: { walLevel: 'replica' } },
    finds: [/^critical wal_level: wal_level is replica/],
    mend: /ALTER SYSTEM SET wal_level = logical/,
  },

  {
    what: 'no slot',
    check: 'slot',
    changes: noSlot,
    finds: [/^critical slot anchorline: .*no slot/],
    breaks: /lost/,
    mend: /resnapshot --all --new-slot/,
  },
  {
    what: 'a slot of another database',
    check: 'slot',
    changes: slot({ database: 'other' }),
    finds: [/^critical .*belongs to database other/],
  },
  {
    what: 'a slot of another plugin',
    check: 'slot',
    changes: slot({ plugin: 'test_decoding' }),
    finds: [/^critical .*test_decoding/],
  },
  {
    what: 'a lost slot',
    check: 'slot',
    changes: slot({ walStatus: 'lost', active: false }),
    finds: [/^critical .*wal_status is lost/],
    mend: /resnapshot --all --new-slot/,
  },
  {
    what: 'an invalidated slot',
    check: 'slot',
    changes: slot({ invalidationReason: 'idle_timeout' }),
    finds: [/^critical .*idle_timeout/],
  },
  {
    what: 'a slot about to be lost',
    check: 'slot',
    changes: slot({ walStatus: 'unreserved' }),
    finds: [/^critical .*unreserved/],
    breaks: /next checkpoint/,
  },
  {
    what: 'a slot that is being outrun',
    check: 'slot',
    changes: slot({ walStatus: 'extended' }),
    finds: [/^warning .*extended/],
  },
  {
    what: 'a slot that nobody reads',
    check: 'slot',
    changes: slot({ active: false, inactiveMs: 7_200_000 }),
    finds: [/^critical .*nobody reads it since 2 h/],
  },
  {
    what: 'a slot that a restarting connector took up again',
    check: 'slot',
    changes: { sourceSlot: (well) => ({ ...well, first: { ...WELL_SLOT, active: false } }) },
    finds: [],
  },

  {
    what: 'a slot 1 GB behind',
    check: 'slot-lag',
    changes: slot({ retainedBytes: GB }),
    finds: [/^warning .*1\.0 GB/],
  },
  {
    what: 'a slot 10 GB behind',
    check: 'slot-lag',
    changes: slot({ retainedBytes: 10 * GB }),
    finds: [/^critical .*10\.0 GB/],
  },
  {
    what: 'a slot that grows and is lost tonight',
    check: 'slot-lag',
    changes: {
      sourceSlot: () => ({
        first: { ...WELL_SLOT, retainedBytes: 0, safeWalBytes: GB + 1_000_000 },
        second: { ...WELL_SLOT, retainedBytes: 1_000_000, safeWalBytes: GB },
        elapsedMs: 1_000,
      }),
    },
    finds: [/^critical .*growing by 976\.6 kB\/s/],
    breaks: /lost in 18 min/,
  },
  {
    what: 'a slot that grows, with room for days',
    check: 'slot-lag',
    changes: {
      sourceSlot: () => ({
        first: { ...WELL_SLOT, retainedBytes: 0, safeWalBytes: 50 * GB },
        second: { ...WELL_SLOT, retainedBytes: 10_000, safeWalBytes: 50 * GB },
        elapsedMs: 1_000,
      }),
    },
    finds: [],
  },
  { what: 'no slot, which another check tells', check: 'slot-lag', changes: noSlot, finds: [] },

  {
    what: 'WAL for slots without bound',
    check: 'slot-wal-limit',
    changes: { sourceServer: { slotWalLimitBytes: null } },
    finds: [/^warning max_slot_wal_keep_size: unlimited/],
    breaks: /disk is full/,
  },
  {
    what: 'WAL for slots bounded too tightly',
    check: 'slot-wal-limit',
    changes: { sourceServer: { slotWalLimitBytes: GB / 2 } },
    finds: [/^warning .*512\.0 MB, less than/],
    breaks: /loses the slot/,
  },

  {
    what: 'no failover, a standby',
    check: 'slot-failover',
    changes: slot({ failover: false }),
    finds: [/^warning .*failover is off, 1 standbys/],
  },
  {
    what: 'no failover, no standby to be seen',
    check: 'slot-failover',
    changes: { ...slot({ failover: false }), sourceServer: { standbys: 0 } },
    finds: [/^info .*failover is off, 0 standbys/],
  },
  {
    what: 'failover without waiting for the standby',
    check: 'slot-failover',
    changes: { sourceServer: { synchronizedStandbySlots: '' } },
    finds: [/^info .*synchronized_standby_slots is empty/],
  },
  {
    what: 'a server before 17 with a standby',
    check: 'slot-failover',
    changes: { ...slot({ failover: null, synced: null }), sourceServer: { version: 150_010 } },
    finds: [/^warning .*knows no failover slots/],
  },
  {
    what: 'a server before 17 without standby',
    check: 'slot-failover',
    changes: { sourceServer: { version: 150_010, standbys: 0 } },
    finds: [],
  },
  {
    what: 'a standby whose slot is not synchronised',
    check: 'slot-failover',
    changes: { sourceServer: { standby: true } },
    finds: [/^warning .*not synchronised/],
  },
  {
    what: 'a standby without slot',
    check: 'slot-failover',
    changes: { ...noSlot, sourceServer: { standby: true } },
    finds: [/^warning .*lacks the slot/],
  },
  {
    what: 'a standby with a synchronised slot',
    check: 'slot-failover',
    changes: { ...slot({ synced: true }), sourceServer: { standby: true } },
    finds: [],
  },

  {
    what: 'no slot and no sender left, ours running',
    check: 'replication-headroom',
    changes: { sourceServer: { usedSlots: 10, usedSenders: 10 } },
    finds: [/^warning max_replication_slots: 10 of 10/, /^warning max_wal_senders: 10 of 10/],
  },
  {
    what: 'none left, and ours not there',
    check: 'replication-headroom',
    changes: { ...noSlot, sourceServer: { usedSlots: 10, usedSenders: 10 } },
    finds: [/^critical max_replication_slots/, /^critical max_wal_senders/],
    breaks: /cannot start/,
  },

  {
    what: 'no publication',
    check: 'publication',
    changes: { sourcePublication: () => null },
    finds: [/^critical publication anchorline: .*no publication/],
  },
  {
    what: 'a publication of inserts alone',
    check: 'publication',
    changes: { sourcePublication: { update: false, delete: false } },
    finds: [/^critical .*update and delete are not published/],
    mend: /SET \(publish = 'insert, update, delete'\)/,
  },
  {
    what: 'a publication of all tables',
    check: 'publication',
    changes: { sourcePublication: { allTables: true } },
    finds: [/^info .*all tables/],
  },

  {
    what: 'a publication without captured, heartbeat and signal tables',
    check: 'publication-tables',
    changes: { sourcePublication: { tables: [] } },
    finds: [
      /^critical .*2 captured tables are not in it: public\.batch_growthsample/,
      /^critical .*anchorline\.heartbeat is not in it/,
      /^warning .*anchorline\.signal is not in it/,
    ],
  },
  {
    what: 'a database that is not a farm’s',
    check: 'publication-tables',
    changes: { sourceTables: () => [] },
    finds: [/^critical database farm: it has none/],
    mend: /source\.adminUrl/,
  },
  {
    what: 'tables whose earlier rows nobody asked for',
    check: 'publication-tables',
    changes: { sourceHeartbeat: { awaiting: ['public.scenario'] } },
    finds: [/^warning publication anchorline: the earlier rows of 1 tables .*public\.scenario/],
    mend: /connectors apply/,
  },
  {
    what: 'a hypertable',
    check: 'publication-tables',
    changes: samples({ children: 4 }),
    finds: [/^critical public\.batch_growthsample: .*4 tables that inherit/],
  },

  {
    what: 'a row filter and a column list',
    check: 'publication-filters',
    changes: {
      sourcePublication: {
        tables: [
          { table: 'public.batch_growthsample', rowFilter: '(id > 7)', leftOut: ['avg_weight_g', 'note'] },
          { table: 'public.environmental_environmentalreading', rowFilter: null, leftOut: ['note'] },
        ],
      },
    },
    finds: [
      /^critical public\.batch_growthsample: only rows with \(id > 7\)/,
      /^critical public\.batch_growthsample: avg_weight_g are left out/,
    ],
  },

  {
    what: 'no role',
    check: 'role',
    changes: { sourceRole: () => null },
    finds: [/^critical role cdc: .*no such role/],
  },
  {
    what: 'a role that may not log in',
    check: 'role',
    changes: without('role', 'LOGIN'),
    finds: [/^critical role cdc: it lacks LOGIN/],
    mend: /ALTER ROLE cdc LOGIN;/,
  },
  {
    what: 'a role that may not replicate',
    check: 'role',
    changes: without('role', 'REPLICATION'),
    finds: [/^critical role cdc: it lacks REPLICATION/],
  },
  {
    what: 'a role that replicates by membership',
    check: 'role',
    changes: {
      sourceRole: (well) => ({
        expired: false,
        held: [
          ...(well?.held ?? []).filter(({ right }) => right !== 'REPLICATION'),
          { on: 'role', name: 'cdc', right: 'MEMBER OF rds_replication', everybody: false },
        ],
      }),
    },
    finds: [],
  },
  {
    what: 'a superuser’s missing attribute',
    check: 'role',
    changes: {
      sourceRole: () => ({
        expired: false,
        held: [
          { on: 'role', name: 'cdc', right: 'LOGIN', everybody: false },
          { on: 'role', name: 'cdc', right: 'SUPERUSER', everybody: false },
        ],
      }),
    },
    finds: [],
  },
  {
    what: 'a password that is over',
    check: 'role',
    changes: { sourceRole: { expired: true } },
    finds: [/^critical role cdc: .*no longer valid/],
  },

  {
    what: 'a table that may not be read',
    check: 'role-rights',
    changes: without('table', 'SELECT', 'public.batch_growthsample'),
    finds: [/^critical role cdc: it lacks SELECT on table public\.batch_growthsample$/],
    mend: /^GRANT SELECT ON table public\.batch_growthsample TO cdc;/,
    breaks: /snapshot of it fails/,
  },
  {
    what: 'a heartbeat that may not be written',
    check: 'role-rights',
    changes: without('table', 'UPDATE', 'anchorline.heartbeat'),
    finds: [/^critical role cdc: it lacks UPDATE on table anchorline\.heartbeat/],
    breaks: /idle slot/,
  },
  {
    what: 'a signal that may not be written',
    check: 'role-rights',
    changes: without('table', 'INSERT', 'anchorline.signal'),
    finds: [/^critical role cdc: it lacks INSERT on table anchorline\.signal/],
  },
  {
    what: 'a schema that may not be used, a database not be entered',
    check: 'role-rights',
    changes: {
      sourceRole: (well) => ({
        expired: false,
        held: (well?.held ?? []).filter(
          ({ on, name }) => on !== 'database' && !(on === 'schema' && name === 'public'),
        ),
      }),
    },
    finds: [/CONNECT on database farm/, /USAGE on schema public/],
  },

  {
    what: 'a superuser',
    check: 'role-excess',
    changes: holding({ on: 'role', name: 'cdc', right: 'SUPERUSER' }),
    finds: [/^warning role cdc: it is a superuser/],
  },
  {
    what: 'attributes and memberships',
    check: 'role-excess',
    changes: holding(
      { on: 'role', name: 'cdc', right: 'CREATEDB' },
      { on: 'role', name: 'cdc', right: 'MEMBER OF pg_read_all_data' },
    ),
    finds: [/^warning .*CREATEDB/, /^warning .*member of pg_read_all_data/],
    mend: /NOCREATEDB/,
  },
  {
    what: 'write rights on a farm table',
    check: 'role-excess',
    changes: holding(
      { on: 'table', name: 'public.batch_growthsample', right: 'UPDATE of some columns' },
      { on: 'table', name: 'public.auth_user', right: 'SELECT' },
    ),
    finds: [
      /^warning .*UPDATE of some columns on table public\.batch_growthsample, SELECT on table public\.auth_user/,
    ],
    mend: /^REVOKE UPDATE ON table public\.batch_growthsample FROM cdc;/,
  },

  {
    what: 'a table without primary key',
    check: 'keys',
    changes: samples({ primaryKey: [] }),
    finds: [/^critical public\.batch_growthsample: it has no primary key/],
    mend: /ADD PRIMARY KEY \(id\)/,
  },
  {
    what: 'REPLICA IDENTITY NOTHING',
    check: 'keys',
    changes: samples({ replicaIdentity: 'n' }),
    finds: [/^critical .*NOTHING/],
    mend: /REPLICA IDENTITY DEFAULT/,
  },
  {
    what: 'REPLICA IDENTITY by another index',
    check: 'keys',
    changes: samples({ replicaIdentity: 'i', identityColumns: ['number'] }),
    finds: [/^critical .*known by \(number\) instead of \(id\)/],
  },
  {
    what: 'another primary key',
    check: 'keys',
    changes: samples({ primaryKey: ['id', 'sample_date'] }),
    finds: [/^critical .*known by \(id, sample_date\)/],
  },
  {
    what: 'REPLICA IDENTITY FULL',
    check: 'keys',
    changes: samples({ replicaIdentity: 'f' }),
    finds: [/^info .*FULL/],
  },

  {
    what: 'decimals without scale, with too many places, or of floating point; unused ones',
    check: 'numeric-scale',
    changes: {
      ...samples({
        columns: [
          { name: 'avg_weight_g', type: 'numeric', scale: null },
          { name: 'condition_factor', type: 'numeric', scale: null },
        ],
      }),
    },
    finds: [/^warning public\.batch_growthsample\.avg_weight_g: it is numeric without scale/],
    mend: /ALTER COLUMN avg_weight_g TYPE numeric/,
  },
  {
    what: 'a decimal of six places',
    check: 'numeric-scale',
    changes: samples({ columns: [{ name: 'avg_weight_g', type: 'numeric', scale: 6 }] }),
    finds: [/^warning .*scale 6/],
  },
  {
    what: 'a decimal of floating point',
    check: 'numeric-scale',
    changes: samples({ columns: [{ name: 'avg_weight_g', type: 'double precision', scale: null }] }),
    finds: [/^warning .*it is double precision/],
  },

  {
    what: 'infinite dates',
    check: 'infinite-dates',
    changes: { sourceDates: (well) => well.map((one) => ({ ...one, rows: 100, capped: true })) },
    finds: [/^warning public\.batch_growthsample: at least 100 rows/],
    mend: /sample_date IN \('infinity', '-infinity'\)/,
  },
  {
    what: 'a table too large to be searched',
    check: 'infinite-dates',
    changes: { sourceDates: (well) => well.map((one) => ({ ...one, rows: null })) },
    finds: [/^unknown public\.batch_growthsample: it was not read to its end/],
  },
];
