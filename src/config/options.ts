/** Every setting of Anchorline, by section. The reference (docs/configuration.md) is made from this. */
import { Cron } from 'croner';
import { isoToDay } from '../domain/day.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../domain/settings.ts';
import type { GrowthModel } from '../domain/settings.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../runtime/logger.ts';
import { SOURCE_DATABASE, STACK_PG_PASSWORD, STACK_PG_USER, STATE_DATABASE } from '../stack/config.ts';
import { KAFKA_ACCESS_OPTIONS, loginOptions, postgresTlsOptions, tlsOptions } from './access-options.ts';
import {
  checked,
  choice,
  flag,
  list,
  name,
  nameOrNone,
  port,
  postgresUrl,
  text,
  textOrNone,
  url,
  urlOrNone,
  whole,
  wholeOrNone,
} from './option.ts';
import type { Basis } from './option.ts';
import { BACKFILL_OPTIONS, BULK_OPTIONS } from './bulk-options.ts';
import { DOCTOR_OPTIONS } from './doctor-options.ts';
import { PROMOTE_OPTIONS } from './promote-options.ts';
import { RECOMPUTE_OPTIONS } from './recompute-options.ts';
import { REPLAY_OPTIONS } from './replay-options.ts';
import { STACK_OPTIONS } from './stack-options.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const TOPIC_PART = /^[A-Za-z0-9._-]{1,100}$/;
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,47}$/;

const REFERENCE = /^\$\{\w+:[^}]+\}$/;

const BROKERS = /^[^\s,:/]+:\d{1,5}$/;

const localPostgres = (database: string) => (basis: Basis) =>
  `postgres://${STACK_PG_USER}:${STACK_PG_PASSWORD}@127.0.0.1:${basis.postgresPort}/${database}`;

const ms = (min: number, max: number, value: number, prose: string) =>
  whole('ms', { min, max }, { default: value, prose });

export const OPTIONS = {
  kafka: {
    brokers: list(BROKERS, 'host:port, several with commas between', {
      default: (basis) => [`127.0.0.1:${basis.kafkaPort}`],
      prose: 'Brokers to begin with; the others are learned from them.',
    }),
    clientId: text({
      default: 'anchorline',
      prose: 'How this process calls itself in the broker’s logs and quotas.',
    }),
    ...KAFKA_ACCESS_OPTIONS,
    sessionMs: ms(
      1_000,
      HOUR,
      15_000,
      'How long a consumer that died keeps its partitions; not below the brokers’ `group.min.session.timeout.ms`.',
    ),
  },
  topics: {
    prefix: name(TOPIC_PART, 'letters, digits, dots, underscores and dashes', {
      default: 'farm',
      prose: 'First part of the change topics: the connector’s `topic.prefix`.',
    }),
    namespace: name(TOPIC_PART, 'letters, digits, dots, underscores and dashes', {
      default: 'anchorline',
      prose: 'First part of Anchorline’s own topics and consumer groups; two installations need two.',
    }),
    partitions: whole(
      null,
      { min: 1, max: 1_000 },
      {
        default: 12,
        prose:
          'Partitions of recompute-requests and daily-state: as many processes can share the work. Fixed once the topics exist.',
      },
    ),
    largePartitions: whole(
      null,
      { min: 1, max: 1_000 },
      {
        default: 6,
        prose:
          'Partitions of the change topics of large tables (readings, feedings, mortality); the others have one.',
      },
    ),
    replication: whole(
      null,
      { min: 1, max: 9 },
      {
        default: 1,
        prose: 'Copies of every topic. 3 in production; 1 is for a single broker.',
      },
    ),
  },
  registry: {
    url: url(['http', 'https'], {
      default: (basis) => `http://127.0.0.1:${basis.registryPort}/apis/ccompat/v7`,
      prose: 'The schema registry’s Confluent-compatible API.',
    }),
    ...tlsOptions('the registry'),
    ...loginOptions('the registry'),
  },
  store: {
    url: postgresUrl({
      default: localPostgres(STATE_DATABASE),
      prose: 'The state store: Postgres 15 or newer, with TimescaleDB or without.',
      secret: true,
    }),
    ...postgresTlsOptions('the state store'),
    schema: name(IDENTIFIER, 'lower-case letters, digits and underscores', {
      default: 'anchorline',
      prose: 'Schema that holds everything; a replay writes to another one.',
    }),
    timescale: choice(['auto', 'off'], {
      default: 'auto',
      prose:
        '`auto`: hypertables where the server offers TimescaleDB. A schema keeps the build it was made with.',
    }),
    runtimeRole: nameOrNone(IDENTIFIER, 'lower-case letters, digits and underscores', {
      default: null,
      prose:
        'Role that processes log in as, where it is not the schema’s owner: `migrate` grants it what they need. See docs/security.md.',
    }),
    readerRole: nameOrNone(IDENTIFIER, 'lower-case letters, digits and underscores', {
      default: null,
      prose: 'Role of people and dashboards: `migrate` lets it read rows, weeks and anomalies.',
    }),
    poolSize: whole(
      'connections',
      { min: 2, max: 200 },
      { default: 10, prose: 'Largest number of connections of one process.' },
    ),
    statementMs: ms(
      1_000,
      24 * HOUR,
      5 * MINUTE,
      'A statement that takes longer, its waiting for locks included, is given up and tried again. Migrations are not bound.',
    ),
  },
  source: {
    adminUrl: postgresUrl({
      default: localPostgres(SOURCE_DATABASE),
      prose:
        'The farm’s database, as a role that may create roles and publications. Only the `connectors` commands and `resnapshot` use it.',
      secret: true,
    }),
    ...postgresTlsOptions('the farm’s database'),
    role: name(IDENTIFIER, 'lower-case letters, digits and underscores', {
      default: 'anchorline_cdc',
      prose: 'The role that Debezium reads with; `connectors apply` creates it.',
    }),
    password: text({ default: 'anchorline_cdc', prose: 'That role’s password.', secret: true }),
    slot: name(IDENTIFIER, 'lower-case letters, digits and underscores', {
      default: 'anchorline',
      prose: 'Replication slot.',
    }),
    publication: name(IDENTIFIER, 'lower-case letters, digits and underscores', {
      default: 'anchorline',
      prose: 'Publication.',
    }),
  },
  connect: {
    url: url(['http', 'https'], {
      default: (basis) => `http://127.0.0.1:${basis.connectPort}`,
      prose: 'Kafka Connect’s REST API.',
    }),
    ...tlsOptions('Connect'),
    ...loginOptions('Connect'),
    connector: text({ default: 'anchorline-farm', prose: 'The connector’s name in Connect.' }),
    definition: text({
      default: 'farm-postgres.yaml',
      prose:
        'The connector’s file: one of `connectors/`, e.g. `environments/production.yaml`, or an absolute path. It may stand on another (`base:`).',
    }),
    registryUrl: url(['http', 'https'], {
      default: (basis) => `http://127.0.0.1:${basis.registryPort}`,
      prose: 'The registry’s root as Connect reaches it.',
    }),
    sourceHost: textOrNone({
      default: null,
      prose: 'The farm’s database host as Connect reaches it; none: as in `source.adminUrl`.',
    }),
    sourcePort: wholeOrNone(
      'port',
      { min: 1, max: 65_535 },
      { default: null, prose: 'Its port as Connect reaches it; none: as in `source.adminUrl`.' },
    ),
    passwordReference: nameOrNone(REFERENCE, 'a reference like ${file:/path:key}', {
      default: null,
      prose:
        'What Connect is given instead of `source.password`: a reference that its workers resolve, e.g. `${file:/etc/kafka-connect/farm.properties:password}`. See docs/security.md.',
      // Somebody will put the password itself here.
      secret: true,
    }),
    sslMode: choice(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'], {
      default: 'prefer',
      prose: 'TLS between Connect and the farm’s database.',
    }),
    superviseMs: ms(
      0,
      HOUR,
      15_000,
      'How often the scheduler looks whether the connector or a task has failed, and restarts it; 0: never.',
    ),
    restartFirstMs: ms(
      0,
      HOUR,
      15_000,
      'A failed connector or task is restarted at once. If that did not help: again after this, and twice as long each time …',
    ),
    restartLongestMs: ms(1_000, 24 * HOUR, 10 * MINUTE, '… but never later than after this.'),
    heartbeatMs: ms(
      1_000,
      HOUR,
      10_000,
      'How often the connector writes a heartbeat, so that the slot moves while the farm is quiet.',
    ),
    metricsUrl: urlOrNone(['http', 'https'], {
      default: null,
      prose:
        'Where the JMX exporter in front of Connect serves its metrics; only `doctor` reads it, for how full the connector’s queue is.',
    }),
  },
  engine: {
    timeZone: checked('the IANA name of a time zone, e.g. Europe/Oslo', isTimeZone, {
      default: DEFAULT_ENGINE_SETTINGS.timeZone,
      prose: 'The site’s time zone: decides which day an instant belongs to. Changing it needs a replay.',
    }),
    growthModel: choice(['auto', 'power', 'cube-root'] as const satisfies readonly GrowthModel[], {
      default: DEFAULT_ENGINE_SETTINGS.growthModel,
      prose: 'How a TGC grows a fish (rule R9). Changing it needs a replay.',
    }),
    recordedDeathsInCount: flag({
      default: DEFAULT_ENGINE_SETTINGS.recordedDeathsInCount,
      prose:
        'True where the source takes recorded deaths off `population_count` (rule R5). Changing it needs a replay.',
    }),
  },
  ingest: {
    partitionsConcurrently: whole(
      'partitions',
      { min: 1, max: 64 },
      { default: 3, prose: 'Partitions of change topics that are ingested at the same time.' },
    ),
    groupId: text({
      default: (basis) => `${basis.namespace}-ingest`,
      prose: 'Consumer group of ingest. Its offsets are for lag displays only.',
    }),
    maxBatchRecords: whole(
      'records',
      { min: 1, max: 100_000 },
      { default: 5_000, prose: 'Largest number of records in one transaction.' },
    ),
  },
  recompute: RECOMPUTE_OPTIONS,
  sweep: {
    intervalMs: ms(100, HOUR, 10_000, 'How often forgotten dirt is looked for.'),
    olderThanMs: ms(100, 24 * HOUR, 30_000, 'Dirt older than this is asked for again.'),
  },
  publish: {
    shards: whole(
      null,
      { min: 1, max: 64 },
      {
        default: 1,
        prose:
          'Shards of the publication log, each with a leader of its own. The same in every process: stop them all before changing it.',
      },
    ),
    batchEntries: whole(
      'entries',
      { min: 1, max: 10_000 },
      { default: 200, prose: 'Most log entries in one Kafka transaction.' },
    ),
    leaseMs: ms(1_000, HOUR, 10_000, 'How long a leader that died keeps its shard.'),
    pollMs: ms(10, MINUTE, 100, 'How long an idle leader waits before it looks for rows of other processes.'),
  },
  scheduler: {
    horizon: checked('`today`, or a date like 2025-08-16', isHorizon, {
      default: 'today',
      prose:
        'The last day that is computed: `today` follows the site’s calendar; a date stays there, for data that ended.',
    }),
    cron: checked('five cron fields, e.g. 5 0 * * *', isCron, {
      default: '5 0 * * *',
      prose: 'When the horizon moves to today, in `engine.timeZone`.',
    }),
    recentDays: whole(
      'days',
      { min: 0, max: 365 },
      { default: 14, prose: 'Days before today that are computed again then.' },
    ),
  },
  watchdog: {
    stallMs: ms(
      5_000,
      HOUR,
      2 * MINUTE,
      'A consumer that has work and makes no progress for this long is restarted.',
    ),
  },
  http: {
    host: text({
      default: '127.0.0.1',
      prose: 'Address of /metrics, /livez and /readyz; 0.0.0.0 in a container.',
    }),
    port: port({ default: 9_464, prose: 'Its port; 0: any that is free.' }),
    readyDirtMs: wholeOrNone(
      'ms',
      { min: 1_000, max: 24 * HOUR },
      {
        default: 15 * MINUTE,
        prose:
          '/readyz of a process that computes fails once dirt has waited this long, other than for a snapshot.',
      },
    ),
  },
  log: {
    level: choice(LOG_LEVELS, { default: 'info', prose: 'Least level that is written.' }),
    format: choice(LOG_FORMATS, {
      default: 'pretty',
      prose: '`pretty` is for terminals; anything else than a terminal gets JSON.',
    }),
  },
  shutdown: {
    deadlineMs: ms(100, HOUR, 25_000, 'How long an orderly stop may take.'),
  },
  resnapshot: {
    maxPercent: whole(
      '%',
      { min: 0, max: 100 },
      {
        default: 20,
        prose:
          'Most of a table’s facts that a resnapshot removes, because the source did not show their rows, without being told `--force`.',
      },
    ),
  },
  retention: {
    years: wholeOrNone(
      'years',
      // The production that regulators ask about is the last five years at least.
      { min: 5, max: 100 },
      {
        default: null,
        prose: 'Assignments that ended longer ago are removed, with their rows. None: everything is kept.',
      },
    ),
  },
  bulk: BULK_OPTIONS,
  backfill: BACKFILL_OPTIONS,
  replay: REPLAY_OPTIONS,
  doctor: DOCTOR_OPTIONS,
  promote: PROMOTE_OPTIONS,
  stack: STACK_OPTIONS,
} as const;

function isHorizon(value: string): boolean {
  if (value === 'today') return true;
  try {
    isoToDay(value);
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(value: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** By the scheduler's own parser; a night that never comes is none. */
function isCron(value: string): boolean {
  if (value.trim().split(/\s+/).length !== 5) return false;
  try {
    return new Cron(value, { paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}
