/** The dashboards: what somebody looks at who asks how it goes, and where it stands. */
import type { DashboardSpec, PromPanel, SqlPanel } from './panels.ts';

const series = (
  title: string,
  unit: string,
  about: string,
  queries: Readonly<Record<string, string>>,
): PromPanel => ({ kind: 'series', title, unit, about, queries });
const stat = (title: string, unit: string, about: string, query: string): PromPanel => ({
  kind: 'stat',
  title,
  unit,
  about,
  queries: { [title]: query },
});
const table = (title: string, about: string, sql: string): SqlPanel => ({ kind: 'table', title, about, sql });

const quantile = (q: number, stage: string): string =>
  `histogram_quantile(${q}, sum by (le) (rate(anchorline_latency_seconds_bucket{stage="${stage}"}[$__rate_interval])))`;

const pipeline: DashboardSpec = {
  name: 'pipeline',
  title: 'pipeline',
  about: 'From a change record to a published row: what waits, how fast it goes, what was set aside.',
  from: 'now-6h',
  rows: {
    'Does it keep up?': [
      stat('Records to ingest', 'short', 'All change topics together.', 'anchorline:ingest_lag_records:sum'),
      stat('Assignments to compute', 'short', 'Dirty ones.', 'max(anchorline_dirty_assignments)'),
      stat(
        'Rows to publish, oldest',
        's',
        'Age of the oldest entry of the publication log.',
        'max(anchorline_publication_oldest_seconds)',
      ),
      stat(
        'Decode to topic, 99 %',
        's',
        'What a consumer of the topic waits for a change.',
        'anchorline:decode_to_topic_seconds:p99',
      ),
      series('Latency by stage, median', 's', 'Each is measured from the commit or from decoding.', {
        'commit → ingest': quantile(0.5, 'commit_to_ingest'),
        'decode → ingest': quantile(0.5, 'decode_to_ingest'),
        'decode → computed': quantile(0.5, 'decode_to_computed'),
        'decode → topic': quantile(0.5, 'decode_to_topic'),
        'commit → topic': quantile(0.5, 'commit_to_topic'),
      }),
      series('Latency by stage, 99 %', 's', 'As beside, for the slowest of a hundred.', {
        'commit → ingest': quantile(0.99, 'commit_to_ingest'),
        'decode → computed': quantile(0.99, 'decode_to_computed'),
        'commit → topic': quantile(0.99, 'commit_to_topic'),
      }),
    ],
    'How much': [
      series('Events ingested', 'ops', 'By table.', {
        '{{table}}': 'sum by (table) (rate(anchorline_events_ingested_total[$__rate_interval]))',
      }),
      series('Rows', 'ops', 'Computed, written and published.', {
        computed: 'sum(rate(anchorline_rows_computed_total[$__rate_interval]))',
        'written: {{kind}}': 'sum by (kind) (rate(anchorline_rows_written_total[$__rate_interval]))',
        published: 'sum(rate(anchorline_rows_published_total[$__rate_interval]))',
      }),
      series('Lag by topic', 'short', 'Records of change topics not yet ingested.', {
        '{{topic}}': 'sum by (topic) (max by (topic, partition) (anchorline_ingest_lag_records))',
      }),
      series('Transactions', 'ops', 'A recompute transaction holds several assignments.', {
        ingest: 'sum(rate(anchorline_ingest_transactions_total[$__rate_interval]))',
        recompute: 'sum(rate(anchorline_recompute_transactions_total[$__rate_interval]))',
      }),
    ],
    'What went wrong': [
      series('Records set aside', 'short', 'By code; docs/errors.md explains them.', {
        '{{code}}': 'sum by (code) (increase(anchorline_records_rejected_total[$__rate_interval]))',
        open: 'max(anchorline_dead_letters_open)',
      }),
      series('Parked assignments', 'short', 'They failed by themselves; their rows stay as they were.', {
        parked: 'max(anchorline_assignments_parked)',
      }),
      series('Repeated attempts', 'ops', 'By what did not answer well enough.', {
        '{{target}}': 'sum by (target) (rate(anchorline_retries_total[$__rate_interval]))',
      }),
      series('Consumers replaced', 'short', 'By the watchdog, for they made no progress.', {
        '{{consumer}}': 'sum by (consumer) (increase(anchorline_watchdog_restarts_total[1h]))',
      }),
    ],
    Processes: [
      series('Memory', 'bytes', 'Resident, by process.', {
        '{{instance}}': 'anchorline_process_resident_memory_bytes',
      }),
      series('CPU', 'percentunit', 'Of one core, by process.', {
        '{{instance}}': 'rate(anchorline_process_cpu_seconds_total[$__rate_interval])',
      }),
      series('Event loop lag, 99 %', 's', 'Long where one computation blocks the others.', {
        '{{instance}}': 'anchorline_nodejs_eventloop_lag_p99_seconds',
      }),
      series('Leaders of shards', 'short', 'One each; two for a moment while leadership moves.', {
        '{{shard}} on {{instance}}': 'anchorline_publisher_leader',
      }),
    ],
  },
};

const connectors: DashboardSpec = {
  name: 'connectors',
  title: 'connectors',
  about: 'From the farm’s database to the change topics.',
  from: 'now-24h',
  rows: {
    'Does it flow?': [
      stat('Connect answers', 'short', '1: yes.', 'max(anchorline_connected{target="connect"})'),
      stat(
        'Failed tasks',
        'short',
        'Of all connectors; the scheduler restarts them.',
        'sum(max by (connector, task) (anchorline_connector_task_state{state="FAILED"}))',
      ),
      stat(
        'Snapshot under way',
        'short',
        '1: an initial snapshot streams in.',
        'max(anchorline_snapshot_running)',
      ),
      series(
        'Commit to ingest',
        's',
        'The farm’s commit until its fact is in the store: Debezium, Kafka and ingest.',
        {
          median: quantile(0.5, 'commit_to_ingest'),
          '99 %': quantile(0.99, 'commit_to_ingest'),
        },
      ),
      series('Changes by kind', 'ops', 'Deletes beside everything else.', {
        '{{op}}': 'sum by (op) (rate(anchorline_events_ingested_total[$__rate_interval]))',
      }),
      series('Restarts of failed tasks', 'short', 'By the scheduler.', {
        '{{connector}}': 'sum by (connector) (increase(anchorline_connector_restarts_total[1h]))',
      }),
      stat(
        'Positions that cannot be trusted',
        'short',
        'Change topics of which something may have been missed.',
        'sum(max by (reason) (anchorline_positions_unsafe))',
      ),
    ],
  },
};

const store: DashboardSpec = {
  name: 'store',
  title: 'state store',
  about: 'The database that holds facts, dirt and rows.',
  from: 'now-24h',
  rows: {
    'Does it keep up?': [
      stat('Store answers', 'short', '1: yes.', 'max(anchorline_connected{target="store"})'),
      stat(
        'Oldest dirt',
        's',
        'Age of what has waited longest to be computed.',
        'max(anchorline_oldest_dirt_seconds)',
      ),
      series('Duration of a recompute', 's', 'A transaction of several assignments.', {
        median:
          'histogram_quantile(0.5, sum by (le) (rate(anchorline_recompute_duration_seconds_bucket[$__rate_interval])))',
        '99 %':
          'histogram_quantile(0.99, sum by (le) (rate(anchorline_recompute_duration_seconds_bucket[$__rate_interval])))',
      }),
      series('Queues', 'short', 'Dirty assignments and entries to publish.', {
        dirty: 'max(anchorline_dirty_assignments)',
        'to publish': 'max(anchorline_publication_backlog_entries)',
      }),
    ],
    Contents: [
      table(
        'Rows by month',
        'What the hypertable holds.',
        `SELECT date_trunc('month', date)::date AS month, count(*) AS rows, count(DISTINCT assignment_id) AS assignments
FROM daily_state WHERE $__timeFilter(date) GROUP BY 1 ORDER BY 1 DESC`,
      ),
    ],
  },
};

const farm: DashboardSpec = {
  name: 'farm',
  title: 'farm',
  about: 'How fresh and how sure the fish’s daily states are: for managers.',
  from: 'now-1y',
  rows: {
    Freshness: [
      table(
        'Batches',
        'The last day that has rows, the last week’s figures, and the days since a weighing.',
        `SELECT b.batch_id, b.last_date, b.avg_weight_g, b.population, b.biomass_kg, b.weight_confidence,
  b.last_date - (SELECT max(d.date) FROM daily_state d WHERE d.batch_id = b.batch_id AND d.anchor_type IS NOT NULL)
    AS days_since_anchor
FROM batch_week b
WHERE b.week = (SELECT max(w.week) FROM batch_week w WHERE w.batch_id = b.batch_id)
ORDER BY b.batch_id`,
      ),
    ],
    Growth: [
      {
        kind: 'sql-series',
        title: 'Weight by batch',
        about: 'Mean of the ISO week, weighted by the fish of each day.',
        unit: 'massg',
        sql: `SELECT week::timestamptz AS time, batch_id::text AS metric, avg_weight_g FROM batch_week
WHERE $__timeFilter(week) ORDER BY 1, 2`,
      },
      {
        kind: 'sql-series',
        title: 'Biomass by batch',
        about: 'On the week’s last date.',
        unit: 'masskg',
        sql: `SELECT week::timestamptz AS time, batch_id::text AS metric, biomass_kg FROM batch_week
WHERE $__timeFilter(week) ORDER BY 1, 2`,
      },
      table(
        'Weighings that differed most',
        'What was measured less what had been computed: a model that is off shows here first.',
        `SELECT date, batch_id, assignment_id, anchor_type, avg_weight_g, round(anchor_residual_g::numeric, 2) AS residual_g
FROM daily_state WHERE anchor_residual_g IS NOT NULL AND $__timeFilter(date)
ORDER BY abs(anchor_residual_g) / nullif(avg_weight_g, 0) DESC NULLS LAST LIMIT 50`,
      ),
    ],
  },
};

export const DASHBOARDS: readonly DashboardSpec[] = [pipeline, connectors, store, farm];
