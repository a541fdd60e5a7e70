/** Settings → what the doctor looks through, and what it holds against it. */
import { randomUUID } from 'node:crypto';
import { Cron } from 'croner';
import { DateTime } from 'luxon';
import type { Admin } from 'kafkajs';

import type { Config } from '../config/load.ts';
import { ConnectClient } from '../connect/client.ts';
import { capturedTables, loadConnector } from '../connect/definition.ts';
import { HEARTBEAT_TABLE, SIGNAL_TABLE } from '../connect/source-state.ts';
import { topicManifest } from '../connect/topics.ts';
import type { CheckId } from '../doctor/checks.ts';
import { examine } from '../doctor/examine.ts';
import type { CapturedSpec, Context, LeaseExpectation } from '../doctor/judge/context.ts';
import type { Finding } from '../doctor/judge/finding.ts';
import type { Limits } from '../doctor/judge/limits.ts';
import type { Probes } from '../doctor/probe.ts';
import { connectProbes } from '../doctor/probe/connect.ts';
import { kafkaProbes } from '../doctor/probe/kafka.ts';
import { openForReading } from '../doctor/probe/postgres.ts';
import { registryProbes } from '../doctor/probe/registry.ts';
import { sourceProbes } from '../doctor/probe/source.ts';
import { storeProbes, storedPositions } from '../doctor/probe/store.ts';
import { isoToDay } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { Clock } from '../domain/ports.ts';
import {
  CAPTURED_TABLES,
  SOURCE_SCHEMA,
  changeTopic,
  ingestTopics,
  dailyStateTopic,
  heartbeatTopic,
  recomputeRequestsTopic,
} from '../domain/topics.ts';
import { createAvroDecoder } from '../kafka/avro.ts';
import { createKafka } from '../kafka/client.ts';
import { contractSubjects } from '../publish/contract.ts';
import { createLogger } from '../runtime/logger.ts';
import type { Logger } from '../runtime/logger.ts';
import { usedColumns } from '../source/used-columns.ts';
import { SHARED_SCHEMA } from '../store/pg-store.ts';
import { connectOf, registryOf, storeAccessOf } from '../wiring-access.ts';
import {
  connectorFileOf,
  connectorSettingsOf,
  engineSettingsOf,
  kafkaConnectionOf,
  sourceAdminOf,
  topicSettingsOf,
} from '../wiring.ts';

/** Somebody waits: what is away is told soon. */
const HASTY_RETRY = { initialRetryTime: 200, retries: 2 };
const CLIENT_RETRIES = 0;

export interface Examination {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly checks: readonly CheckId[];
  /** Time between the two looks by which growth is told, ms. */
  readonly intervalMs: number;
  readonly progress: (line: string) => void;
}

export async function runDoctor(examination: Examination): Promise<readonly Finding[]> {
  const { config, clock, checks, progress } = examination;
  const opened = openProbes(examination);
  try {
    const looking = { timeoutMs: config.doctor.probeMs, clock, progress };
    return await examine(opened.probes, checks, contextOf(config, clock.nowMs()), looking);
  } finally {
    await opened.close();
  }
}

interface OpenProbes {
  readonly probes: Probes;
  close(): Promise<void>;
}

function openProbes(examination: Examination): OpenProbes {
  const { config, clock, intervalMs } = examination;
  const { probeMs } = config.doctor;
  const source = openForReading(sourceAdminOf(config), probeMs);
  const access = storeAccessOf(config);
  const store = openForReading({ connectionString: access.url, tls: access.tls }, probeMs);
  const names = { schema: config.store.schema, shared: SHARED_SCHEMA };
  const kafka = openAdmin(examination);
  const connect = connectOf(config);
  const storeUrl = new URL(config.store.url);
  const probes = {
    ...sourceProbes({
      source,
      address: addressOf(new URL(config.source.adminUrl)),
      captured: capturedSpecs(),
      scanMs: config.doctor.scanMs,
      role: config.source.role,
      slot: config.source.slot,
      publication: config.source.publication,
      heartbeatTable: HEARTBEAT_TABLE,
      signalTable: SIGNAL_TABLE,
      clock,
      intervalMs,
    }),
    ...connectProbes({
      ...connect,
      client: new ConnectClient(connect, CLIENT_RETRIES),
      connector: config.connect.connector,
      prefix: config.topics.prefix,
      definition: () => loadConnector(connectorFileOf(config), connectorSettingsOf(config)),
      metricsUrl: config.connect.metricsUrl,
      clock,
    }),
    ...kafkaProbes({
      ...kafka.target,
      positions: () => storedPositions(store, names),
      awayMs: config.doctor.awayMs,
      clock,
    }),
    ...registryProbes({
      registry: registryOf(config),
      subjects: Object.values(contractSubjects(dailyStateTopic(config.topics.namespace))),
      clock,
    }),
    ...storeProbes({
      pool: store,
      names,
      address: addressOf(storeUrl),
      isLocal: LOOPBACK.has(storeUrl.hostname),
      settings: engineSettingsOf(config),
      snapshotLimitMs: config.recompute.snapshotLimitMs,
      clock,
      intervalMs,
    }),
  };
  return {
    probes,
    async close() {
      await Promise.allSettled([source.end(), store.end(), kafka.close()]);
    },
  };
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

function addressOf({ hostname, port, pathname }: URL): string {
  return `${hostname}:${port || '5432'}${pathname}`;
}

/** One client for all looks at Kafka, connected by whoever looks first. */
function openAdmin({ config, log, clock }: Examination) {
  const connection = kafkaConnectionOf(config);
  // What the client meets while it tries is in the findings.
  const quiet =
    log.level === 'debug' || log.level === 'trace' ? log : createLogger({ level: 'silent', format: 'json' });
  const kafka = createKafka(connection, quiet, HASTY_RETRY);
  const { prefix, namespace } = config.topics;
  let connected: Promise<Admin> | null = null;
  const connect = async (): Promise<Admin> => {
    const admin = kafka.admin();
    await admin.connect();
    return admin;
  };
  return {
    target: {
      admin: () => (connected ??= connect()),
      address: connection.brokers.join(','),
      topics: topicManifest(topicSettingsOf(config)).map(({ topic }) => topic),
      changeTopics: CAPTURED_TABLES.map(({ name }) => ({ topic: changeTopic(prefix, name), table: name })),
      groups: [
        {
          role: 'ingest',
          group: config.ingest.groupId,
          topics: ingestTopics(prefix, config.recompute.transactionWaitMs > 0),
        },
        { role: 'recompute', group: config.recompute.groupId, topics: [recomputeRequestsTopic(namespace)] },
      ],
      beat: {
        topic: heartbeatTopic(prefix),
        group: `${namespace}-doctor-${randomUUID()}`,
        consumer: (groupId: string) => kafka.consumer({ groupId, maxWaitTimeInMs: 500 }),
        decoder: createAvroDecoder(registryOf(config)),
        clock,
      },
    },
    close: async () => {
      await connected?.then((admin) => admin.disconnect()).catch(() => undefined);
    },
  } as const;
}

export function contextOf(config: Config, nowMs: number): Context {
  const { source, connect, topics, store, publish, doctor, scheduler } = config;
  return {
    limits: limitsOf(doctor),
    source: {
      database: sourceAdminOf(config).database,
      role: source.role,
      slot: source.slot,
      publication: source.publication,
      captured: capturedSpecs(),
      heartbeatTable: HEARTBEAT_TABLE,
      signalTable: SIGNAL_TABLE,
    },
    connect: {
      connector: connect.connector,
      prefix: topics.prefix,
      heartbeatMs: connect.heartbeatMs,
      supervised: connect.superviseMs > 0,
      metricsSet: connect.metricsUrl !== null,
    },
    kafka: { topics: topicManifest(topicSettingsOf(config)) },
    store: {
      schema: store.schema,
      shared: SHARED_SCHEMA,
      poolSize: store.poolSize,
      leases: leasesOf(publish.shards, connect.superviseMs),
      horizon: expectedHorizon(config, nowMs),
      horizonFixed: scheduler.horizon !== 'today',
      diskBytes: doctor.storeDiskGb === null ? null : doctor.storeDiskGb * 1024 ** 3,
    },
  };
}

function limitsOf(doctor: Config['doctor']): Limits {
  return { ...doctor, runwayMs: doctor.runwayHours * 3_600_000, slotLagBytes: doctor.slotLagMb * 1024 ** 2 };
}

function capturedSpecs(): readonly CapturedSpec[] {
  const columnsOf = usedColumns();
  const names = capturedTables();
  return CAPTURED_TABLES.map(({ name, key }, index) => ({
    table: names[index] ?? `${SOURCE_SCHEMA}.${name}`,
    key,
    columns: columnsOf.get(name) ?? [],
  }));
}

function leasesOf(shards: number, superviseMs: number): readonly LeaseExpectation[] {
  return [
    ...Array.from({ length: shards }, (_, shard) => ({ name: `publish-${shard}`, role: 'publish' as const })),
    { name: 'scheduler', role: 'scheduler' },
    ...(superviseMs > 0 ? [{ name: 'supervisor', role: 'supervisor' as const }] : []),
  ];
}

/** Today at the site, or yesterday as long as the hour at which it moves has not come. */
function expectedHorizon({ scheduler, engine }: Config, nowMs: number): Day {
  if (scheduler.horizon !== 'today') return isoToDay(scheduler.horizon);
  const now = DateTime.fromMillis(nowMs, { zone: engine.timeZone });
  const cron = new Cron(scheduler.cron, { timezone: engine.timeZone, paused: true });
  const due = cron.nextRun(now.startOf('day').minus({ milliseconds: 1 }).toJSDate());
  const moved = due !== null && due.getTime() <= nowMs;
  return isoToDay((moved ? now : now.minus({ days: 1 })).toFormat('yyyy-MM-dd'));
}
