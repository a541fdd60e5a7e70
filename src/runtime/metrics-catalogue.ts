/**
 * Every metric, declared once: name, kind, prose, labels.
 * A label given as a list is a closed set: its counters exist from the start, at zero, so that the first
 * event is an increase and not a series that appears. `null` is an open set (topics, names).
 */
import { REJECTIONS } from '../domain/cdc.ts';
import { TABLE_STATES } from '../domain/resnapshot.ts';
import { CAPTURED_TABLES } from '../domain/topics.ts';

type Labels = Readonly<Record<string, readonly string[] | null>>;

export interface MetricSpec {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: Labels;
  /** Upper bounds, in the unit of the name. */
  readonly buckets?: readonly number[];
}

/** Stages of a change's way; each is measured from the source's commit or from decoding. */
export const LATENCY_STAGES = [
  'commit_to_ingest',
  'decode_to_ingest',
  'decode_to_computed',
  'decode_to_topic',
  'commit_to_topic',
] as const;
/** As Kafka Connect names them; ABSENT: it knows no such connector. */
export const CONNECTOR_STATES = [
  'RUNNING',
  'FAILED',
  'PAUSED',
  'STOPPED',
  'RESTARTING',
  'UNASSIGNED',
  'ABSENT',
] as const;

export type LatencyStage = (typeof LATENCY_STAGES)[number];

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800] as const;

const TABLES = CAPTURED_TABLES.map((table) => table.name);
const CODES = Object.values(REJECTIONS);

const counter = <L extends Labels>(name: string, help: string, labels: L) =>
  ({ kind: 'counter', name: `anchorline_${name}_total`, help, labels }) as const;
const gauge = <L extends Labels>(name: string, help: string, labels: L) =>
  ({ kind: 'gauge', name: `anchorline_${name}`, help, labels }) as const;
const seconds = <L extends Labels>(name: string, help: string, labels: L) =>
  ({ kind: 'histogram', name: `anchorline_${name}_seconds`, help, labels, buckets: SECONDS }) as const;

export const METRICS = {
  eventsIngested: counter('events_ingested', 'Change events that were applied', {
    table: TABLES,
    op: ['upsert', 'delete'],
  }),
  ingestTransactions: counter('ingest_transactions', 'Committed ingest transactions', {}),
  truncates: counter('truncates', 'Truncates of source tables that were passed over: their rows stay here', {
    table: TABLES,
  }),
  recordsRejected: counter('records_rejected', 'Records set aside as dead letters', { code: CODES }),
  deadLettersOpen: gauge('dead_letters_open', 'Dead letters neither superseded nor replayed', {}),
  ingestLag: gauge('ingest_lag_records', 'Records of a change topic not yet ingested', {
    topic: null,
    partition: null,
  }),
  positionsUnsafe: gauge(
    'positions_unsafe',
    'Positions of change topics that cannot go on, or may have missed deletes, until their tables are read again',
    { reason: ['expired', 'beyond', 'stale'] },
  ),
  resnapshotTables: gauge('resnapshot_tables', 'Tables of the resnapshot that is under way, by their state', {
    state: TABLE_STATES,
  }),
  requestLag: gauge('request_lag_records', 'Recompute requests not yet taken', { partition: null }),

  dirtyAssignments: gauge('dirty_assignments', 'Assignments that wait to be computed', {}),
  oldestDirt: gauge('oldest_dirt_seconds', 'Age of the oldest dirt', {}),
  recomputeTransactions: counter('recompute_transactions', 'Committed recompute transactions', {}),
  recomputeDuration: seconds(
    'recompute_duration',
    'Duration of a recompute transaction, from its locks to its commit',
    {},
  ),
  transactionsGivenUp: counter(
    'transactions_given_up',
    'Transactions of the source that were not whole in time: what waited for them was computed as it was',
    {},
  ),
  assignmentsOverdue: counter(
    'assignments_overdue',
    'Assignments computed although a transaction of the source was not whole: they had waited too long',
    {},
  ),
  rowsComputed: counter('rows_computed', 'Daily rows computed, changed or not', {}),
  rowsWritten: counter('rows_written', 'Daily rows written', { kind: ['insert', 'update', 'delete'] }),
  assignmentsParked: gauge(
    'assignments_parked',
    'Assignments set aside because they cannot be computed or published',
    {},
  ),
  anomalies: counter('anomalies', 'Anomalies found by recomputes', { code: null }),
  anomaliesKept: gauge('anomalies_kept', 'Anomalies that hold now', { code: null }),

  publicationBacklog: gauge('publication_backlog_entries', 'Entries of the publication log', {}),
  publicationAge: gauge('publication_oldest_seconds', 'Age of the oldest entry of the publication log', {}),
  rowsPublished: counter('rows_published', 'Rows published, tombstones included', {}),
  publicationsSetAside: counter(
    'publications_set_aside',
    'Assignments parked because a row of theirs cannot be published',
    {},
  ),
  leader: gauge('publisher_leader', '1 where this process leads the shard', { shard: null }),

  latency: seconds('latency', 'From the source commit or from decoding to a stage', {
    stage: LATENCY_STAGES,
  }),
  watchdogRestarts: counter('watchdog_restarts', 'Consumers restarted because they made no progress', {
    consumer: ['ingest', 'recompute'],
  }),
  retries: counter('retries', 'Attempts repeated after a failure', {
    target: ['store', 'kafka', 'registry'],
  }),
  workAge: gauge('work_age_seconds', 'Age of the oldest handler or transaction under way', {
    role: null,
  }),
  connected: gauge('connected', '1 while the target answers', { target: null }),
  connectorState: gauge('connector_state', '1 for the state that the connector is in; by the supervisor', {
    connector: null,
    state: null,
  }),
  connectorTaskState: gauge('connector_task_state', '1 for the state that a task of the connector is in', {
    connector: null,
    task: null,
    state: null,
  }),
  connectorRestarts: counter('connector_restarts', 'Restarts of a failed connector or task', {
    connector: null,
  }),
  snapshotRunning: gauge(
    'snapshot_running',
    '1 while recompute waits for an initial snapshot that streams in',
    {},
  ),
  horizonDay: gauge('horizon_day', 'Last day that is computed, in days since 1970-01-01', {}),
} as const satisfies Record<string, MetricSpec>;
