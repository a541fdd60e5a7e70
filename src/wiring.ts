/** From settings to what each adapter takes: the one place that knows both sides. */
import { join, resolve } from 'node:path';

import type { Config } from './config/load.ts';
import { DEFAULT_CONNECTOR } from './connect/definition.ts';
import type { ConnectorSettings } from './connect/definition.ts';
import type { PgConfig } from './connect/source-client.ts';
import type { SourceSettings } from './connect/source-state.ts';
import type { TopicSettings } from './connect/topics.ts';
import { CONNECTION_DEFAULTS } from './kafka/client.ts';
import type { KafkaConnection } from './kafka/client.ts';
import type { EngineSettings } from './domain/settings.ts';
import { stackConfig } from './stack/config.ts';
import type { StackConfig } from './stack/config.ts';
import { kafkaAccessOf, sourceAccessOf } from './wiring-access.ts';

/** The project's root: connectors/, ops/ and the default data folders lie there. */
export const PROJECT_DIR = resolve(import.meta.dirname, '..');

export function stackOf({ stack }: Config): StackConfig {
  return stackConfig({
    projectDir: PROJECT_DIR,
    dataDir: stack.dataDir,
    jarsDir: stack.jarsDir,
    ports: {
      postgres: stack.postgresPort,
      kafka: stack.kafkaPort,
      kafkaController: stack.kafkaControllerPort,
      registry: stack.registryPort,
      connect: stack.connectPort,
    },
    heapMb: { kafka: stack.kafkaHeapMb, registry: stack.registryHeapMb, connect: stack.connectHeapMb },
    profile: stack.profile,
    javaHome: stack.javaHome,
    startTimeoutMs: stack.startTimeoutMs,
    stopTimeoutMs: stack.stopTimeoutMs,
  });
}

export function kafkaConnectionOf(config: Config): KafkaConnection {
  const { brokers, clientId } = config.kafka;
  return { ...CONNECTION_DEFAULTS, brokers, clientId, ...kafkaAccessOf(config) };
}

export function topicSettingsOf({ topics }: Config): TopicSettings {
  return {
    prefix: topics.prefix,
    namespace: topics.namespace,
    replicationFactor: topics.replication,
    largePartitions: topics.largePartitions,
    workPartitions: topics.partitions,
  };
}

export function engineSettingsOf({ engine }: Config): EngineSettings {
  return {
    timeZone: engine.timeZone,
    growthModel: engine.growthModel,
    recordedDeathsInCount: engine.recordedDeathsInCount,
  };
}

/** The farm's database as its administrator reaches it. */
export function sourceAdminOf(config: Config): PgConfig {
  const access = sourceAccessOf(config);
  const url = new URL(access.url);
  return {
    tls: access.tls,
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}

export function sourceSettingsOf({ source }: Config): SourceSettings {
  return {
    sqlDir: join(PROJECT_DIR, 'connectors', 'sql'),
    role: source.role,
    password: source.password,
    publication: source.publication,
    slot: source.slot,
  };
}

/** A name alone is a file of connectors/. */
export function connectorFileOf({ connect }: Config): string {
  return resolve(PROJECT_DIR, 'connectors', connect.definition);
}

export function connectorSettingsOf(config: Config): ConnectorSettings {
  const { connect, source, topics } = config;
  const admin = sourceAdminOf(config);
  return {
    ...DEFAULT_CONNECTOR,
    name: connect.connector,
    prefix: topics.prefix,
    host: connect.sourceHost ?? admin.host,
    port: connect.sourcePort ?? admin.port,
    database: admin.database,
    user: source.role,
    // In Connect's own topics and answers stands what it was given.
    password: connect.passwordReference ?? source.password,
    sslMode: connect.sslMode,
    slot: source.slot,
    publication: source.publication,
    registryUrl: connect.registryUrl,
    heartbeatMs: connect.heartbeatMs,
    replicationFactor: topics.replication,
    largePartitions: topics.largePartitions,
  };
}
