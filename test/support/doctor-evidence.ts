/** An installation in which all is well, to be made ill one piece at a time, and its judgement. */
import { judgeAll } from '../../src/doctor/examine.ts';
import type { CheckId } from '../../src/doctor/checks.ts';
import type { Context } from '../../src/doctor/judge/context.ts';
import type { Evidence, ProbeName } from '../../src/doctor/judge/evidence.ts';
import type { Slot } from '../../src/doctor/judge/evidence-source.ts';
import type { Finding } from '../../src/doctor/judge/finding.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { runtimeRights, sourceRights } from '../../src/domain/rights.ts';

const SAMPLES = 'public.batch_growthsample';
const READINGS = 'public.environmental_environmentalreading';

const DAYS = (days: number): string => String(days * 86_400_000);

export const WELL_CONTEXT: Context = {
  limits: {
    runwayMs: 12 * 3_600_000,
    slotLagBytes: 1024 ** 3,
    heartbeatsMissed: 3,
    clockSkewMs: 2_000,
    dirtMs: 300_000,
    backlogMs: 300_000,
    awayMs: 600_000,
    transactionMs: 300_000,
    deadTuples: 100_000,
    deadLetters: 100,
    freePercent: 15,
    freeConnections: 10,
    queuePercent: 80,
  },
  source: {
    database: 'farm',
    role: 'cdc',
    slot: 'anchorline',
    publication: 'anchorline',
    captured: [
      {
        table: SAMPLES,
        key: ['id'],
        columns: [
          { name: 'id', kind: 'other' },
          { name: 'sample_date', kind: 'date' },
          { name: 'avg_weight_g', kind: 'decimal' },
        ],
      },
      {
        table: READINGS,
        key: ['id', 'reading_time'],
        columns: [
          { name: 'reading_time', kind: 'instant' },
          { name: 'value', kind: 'decimal' },
        ],
      },
      { table: 'public.planning_plannedactivity', key: ['id'], columns: [] },
    ],
    heartbeatTable: 'anchorline.heartbeat',
    signalTable: 'anchorline.signal',
  },
  connect: {
    connector: 'anchorline-farm',
    prefix: 'farm',
    heartbeatMs: 10_000,
    supervised: true,
    metricsSet: true,
  },
  kafka: {
    topics: [
      {
        topic: 'farm.public.batch_growthsample',
        partitions: 2,
        replicationFactor: 3,
        config: { 'cleanup.policy': 'compact', 'delete.retention.ms': DAYS(30) },
      },
      {
        topic: 'anchorline.dead-letter',
        partitions: 1,
        replicationFactor: 3,
        config: { 'cleanup.policy': 'delete', 'retention.ms': DAYS(30) },
      },
    ],
  },
  store: {
    schema: 'anchorline',
    shared: 'anchorline_shared',
    poolSize: 10,
    leases: [
      { name: 'publish-0', role: 'publish' },
      { name: 'scheduler', role: 'scheduler' },
      { name: 'supervisor', role: 'supervisor' },
    ],
    horizon: isoToDay('2025-08-16'),
    horizonFixed: false,
    diskBytes: null,
  },
};

const CLOCK = { aheadMs: 3, uncertainMs: 1 };

const SLOT: Slot = {
  active: true,
  database: 'farm',
  plugin: 'pgoutput',
  walStatus: 'reserved',
  safeWalBytes: null,
  lagBytes: 1_000,
  retainedBytes: 5_000,
  failover: true,
  synced: false,
  invalidationReason: null,
  inactiveMs: null,
};

const DEPLOYED = {
  'offset.mismatch.strategy': 'trust_offset',
  'heartbeat.interval.ms': '10000',
  'heartbeat.action.query': 'INSERT INTO anchorline.heartbeat …',
  'signal.data.collection': 'anchorline.signal',
  'signal.enabled.channels': 'source',
};

const partitions = (count: number) =>
  Array.from({ length: count }, (_, partition) => ({ partition, leader: 1, replicas: 3, inSync: 3 }));

export const WELL: Evidence = {
  sourceServer: {
    version: 170_002,
    tookMs: 4,
    clock: CLOCK,
    standby: false,
    walLevel: 'logical',
    slotWalLimitBytes: 50 * 1024 ** 3,
    maxSlots: 10,
    usedSlots: 2,
    maxSenders: 10,
    usedSenders: 2,
    standbys: 1,
    synchronizedStandbySlots: 'standby_1',
  },
  sourceSlot: { first: SLOT, second: SLOT, elapsedMs: 3_000 },
  sourcePublication: {
    allTables: false,
    insert: true,
    update: true,
    delete: true,
    tables: [SAMPLES, READINGS, 'anchorline.heartbeat', 'anchorline.signal'].map((table) => ({
      table,
      rowFilter: null,
      leftOut: [],
    })),
  },
  sourceTables: [
    {
      table: SAMPLES,
      replicaIdentity: 'd',
      primaryKey: ['id'],
      identityColumns: [],
      children: 0,
      columns: [
        { name: 'id', type: 'bigint', scale: null },
        { name: 'sample_date', type: 'date', scale: null },
        { name: 'avg_weight_g', type: 'numeric', scale: 2 },
        { name: 'condition_factor', type: 'numeric', scale: null },
      ],
    },
    {
      table: READINGS,
      replicaIdentity: 'd',
      primaryKey: ['id', 'reading_time'],
      identityColumns: [],
      children: 0,
      columns: [{ name: 'value', type: 'numeric', scale: 4 }],
    },
  ],
  sourceRole: {
    expired: false,
    held: sourceRights({ role: 'cdc', database: 'farm', tables: [SAMPLES, READINGS] }).map((right) => ({
      ...right,
      everybody: false,
    })),
  },
  sourceDates: [{ table: SAMPLES, columns: ['sample_date'], rows: 0, capped: false }],
  sourceHeartbeat: { awaiting: [], heartbeat: true, signal: true, beatAgeMs: 4_000 },
  connectServer: { version: '4.3.1', clusterId: 'c1', tookMs: 9, clock: CLOCK },
  connectTasks: {
    state: 'RUNNING',
    worker: 'w:8083',
    trace: [],
    tasks: [{ id: 0, state: 'RUNNING', worker: 'w:8083', trace: [] }],
  },
  connectConfig: { deployed: DEPLOYED, differences: [] },
  connectMetrics: { queueTotal: 16_384, queueRemaining: 16_000, behindSourceMs: 20 },
  kafkaCluster: { clusterId: 'c1', brokers: 3, tookMs: 12 },
  kafkaTopics: WELL_CONTEXT.kafka.topics.map(({ topic, partitions: count, config }) => ({
    topic,
    partitions: partitions(count),
    config: { ...config, 'min.insync.replicas': '2' },
  })),
  kafkaPositions: [
    {
      topic: 'farm.public.batch_growthsample',
      table: 'batch_growthsample',
      doubt: false,
      partition: 0,
      low: 0n,
      high: 10n,
      next: 10n,
      unread: null,
      retentionMs: 30 * 86_400_000,
    },
  ],
  kafkaGroups: (['ingest', 'recompute'] as const).map((role) => ({
    role,
    group: `anchorline-${role}`,
    state: 'Stable',
    members: 2,
    partitions: 12,
    lag: 0,
  })),
  kafkaBeat: {
    connectorMs: 1_000_000,
    recordMs: 1_000_010,
    stampedByBroker: true,
    ageMs: 5_000,
    schemaId: 7,
    schemaKnown: true,
  },
  registryServer: { tookMs: 5, mode: 'READWRITE', subjects: 60 },
  registrySubjects: ['key', 'value'].map((part) => ({
    subject: `anchorline.daily-state-${part}`,
    versions: 1,
    level: 'FULL_TRANSITIVE',
    registered: true,
    compatible: true,
  })),
  storeServer: {
    version: 160_004,
    tookMs: 3,
    clock: CLOCK,
    maxConnections: 100,
    reserved: 3,
    used: 20,
    readOnly: false,
  },
  storeSchema: {
    build: 'timescale',
    missingMigrations: [],
    timescale: '2.19.0',
    timescaleLicense: 'timescale',
    engineVersion: 1,
    wantedEngineVersion: 1,
    differences: [],
  },
  storeRole: {
    role: 'app',
    database: 'state',
    schemas: ['anchorline', 'replay_2'],
    held: runtimeRights({
      role: 'app',
      database: 'state',
      schema: 'anchorline',
      shared: 'anchorline_shared',
    }).map((right) => ({ ...right, everybody: false })),
  },
  storeWork: {
    dirtAssignments: 2,
    dirtOldestMs: 200,
    parked: [],
    setAside: 0,
    publications: 1,
    publicationOldestMs: 100,
    deadLetters: [],
    horizon: isoToDay('2025-08-16'),
    snapshotRunning: false,
    later: { dirtAssignments: 0, publications: 0, elapsedMs: 3_000 },
  },
  storeResnapshot: null,
  storeLeases: ['publish-0', 'scheduler', 'supervisor'].map((name) => ({ name, owner: 'p1', leftMs: 5_000 })),
  storeSessions: { transactions: [], hidden: 0 },
  storeTables: [{ table: 'dirt', live: 10, dead: 900, bytes: 8_192, autovacuum: true, vacuumedMs: 60_000 }],
  storeJobs: (
    [
      ['policy_compression', 'daily_state'],
      ['policy_compression', 'reading'],
      ['policy_refresh_continuous_aggregate', 'assignment_week_live'],
    ] as const
  ).map(([procedure, relation], index) => ({
    id: 1_000 + index,
    procedure,
    relation,
    scheduled: true,
    lastSucceeded: true,
    lastSuccessMs: 60_000,
    failures: 0,
    runs: 9,
    error: null,
    nextInMs: 60_000,
  })),
  storeDisk: {
    databaseBytes: 1024 ** 3,
    serverBytes: 2 * 1024 ** 3,
    grownBytes: 0,
    elapsedMs: 3_000,
    local: { folder: '/data', freeBytes: 50 * 1024 ** 3, totalBytes: 100 * 1024 ** 3 },
  },
};

/** Fields that differ from the well evidence, or a function that makes it ill. */
type Change<T> = Partial<NonNullable<T>> | ((well: T) => T);
type AnyChange = object | ((well: unknown) => unknown) | undefined;

export type Changes = { readonly [N in ProbeName]?: Change<Evidence[N]> } & {
  /** Probes that saw nothing. */
  readonly unseen?: readonly ProbeName[];
  readonly context?: (well: Context) => Context;
};

/** What a check finds in the well installation with these changes. */
export function judged(check: CheckId, changes: Changes = {}): readonly Finding[] {
  const { unseen = [], context, ...evidence } = changes;
  const looks: Record<string, unknown> = {};
  for (const name of Object.keys(WELL) as ProbeName[]) {
    looks[name] = unseen.includes(name)
      ? { seen: false, why: `${name} failed`, mend: `mend ${name}` }
      : { seen: true, value: changed(WELL[name], evidence[name]) };
  }
  return judgeAll([check], looks, context === undefined ? WELL_CONTEXT : context(WELL_CONTEXT));
}

function changed(well: unknown, change: AnyChange): unknown {
  return typeof change === 'function'
    ? change(well)
    : change === undefined
      ? well
      : { ...(well as object), ...change };
}

export interface Case {
  readonly what: string;
  readonly check: CheckId;
  readonly changes: Changes;
  /** Of everything that is not well, in order: `severity subject: evidence`. */
  readonly finds: readonly RegExp[];
  /** In the first finding's mend. */
  readonly mend?: RegExp;
  /** In the first finding's consequence. */
  readonly breaks?: RegExp;
}

/** `severity subject: evidence` of everything that is not well. */
export function troubles(findings: readonly Finding[]): readonly string[] {
  return findings
    .filter(({ severity }) => severity !== 'ok')
    .map(({ severity, subject, evidence }) => `${severity} ${subject}: ${evidence}`);
}
