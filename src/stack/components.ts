/** The four parts: how each is started and how one asks whether it answers. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { type Component, type Progress, type StackConfig, stackEndpoints } from './config.ts';
import { STACK_ERRORS, StackError } from './errors.ts';
import type { StackJars } from './jars.ts';
import type { Java } from './java.ts';
import {
  ensureDatabases,
  initialisePostgres,
  locatePostgres,
  postgresAnswers,
  postgresProcess,
} from './postgres.ts';
import type { ProcessSpec } from './processes.ts';
import { mendIdleTimers } from '../runtime/idle-timers.ts';

const run = promisify(execFile);

/** What starting needs beside the configuration. */
export interface Toolbox {
  readonly config: StackConfig;
  readonly java: Java;
  readonly jars: StackJars;
  readonly progress: Progress;
}

export interface ComponentKind {
  readonly port: (config: StackConfig) => number;
  /** Prepares folders and files; the process to start. */
  readonly prepare: (tools: Toolbox) => Promise<ProcessSpec>;
  /** True when it does its work, not merely listens. */
  readonly answers: (config: StackConfig) => Promise<boolean>;
  /** Once it answers, before it counts as up. */
  readonly finish?: (config: StackConfig) => Promise<void>;
  readonly stopSignal: NodeJS.Signals;
  /** Ends by itself at times for a reason that passes: started again when its log says so. */
  readonly passing: RegExp | null;
}

export const COMPONENT_KINDS: Readonly<Record<Component, ComponentKind>> = {
  postgres: {
    port: (config) => config.ports.postgres,
    prepare: async ({ config, progress }) => {
      const install = await locatePostgres(config, progress);
      await initialisePostgres(install);
      return postgresProcess(config, install);
    },
    answers: (config) => postgresAnswers(stackEndpoints(config).sourcePg),
    finish: (config) => ensureDatabases(stackEndpoints(config).sourcePg),
    // "Fast" shutdown: sessions are ended, nothing is lost.
    stopSignal: 'SIGINT',
    // After a kill its children need a moment to notice.
    passing: /pre-existing shared memory block|lock file "postmaster.pid"/,
  },
  kafka: {
    port: (config) => config.ports.kafka,
    prepare: prepareKafka,
    answers: kafkaAnswers,
    stopSignal: 'SIGTERM',
    passing: null,
  },
  registry: {
    port: (config) => config.ports.registry,
    prepare: prepareRegistry,
    answers: (config) => httpOk(`${stackEndpoints(config).registryUrl}/apis/ccompat/v7/subjects`),
    stopSignal: 'SIGTERM',
    passing: /Database may be already in use/,
  },
  connect: {
    port: (config) => config.ports.connect,
    prepare: prepareConnect,
    // The root answers long before the worker does; the connectors' list only once it takes part.
    answers: (config) => httpOk(`${stackEndpoints(config).connectUrl}/connectors`),
    stopSignal: 'SIGTERM',
    // It is started beside the broker, and gives up when the broker takes too long.
    passing: /Failed to connect to and describe Kafka cluster/,
  },
};

async function prepareKafka({ config, java, jars }: Toolbox): Promise<ProcessSpec> {
  const home = join(config.dataDir, 'kafka');
  const logs = join(home, 'logs');
  const file = join(home, 'server.properties');
  await mkdir(home, { recursive: true });
  const { kafka, kafkaController } = config.ports;
  await writeProperties(file, {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafkaController}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafkaController}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${kafkaController}`,
    'log.dirs': logs,
    'auto.create.topics.enable': false,
    'group.initial.rebalance.delay.ms': 0,
    'num.partitions': 1,
    'offsets.topic.num.partitions': 8,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'log.segment.bytes': 128 * 1024 * 1024,
  });
  const classpath = join(jars.kafka, '*');
  if (!(await exists(join(logs, 'meta.properties')))) {
    await rm(logs, { recursive: true, force: true });
    const format = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', clusterId(), '-c', file];
    await runJava(java, [...logging(config), ...START_FAST, '-cp', classpath, ...format]);
  }
  const jvm = jvmFlags(config, 'kafka', config.heapMb.kafka, jars);
  return {
    command: java.command,
    args: [...jvm, ...logging(config), '-cp', classpath, 'kafka.Kafka', file],
    cwd: home,
  };
}

async function prepareRegistry({ config, java, jars }: Toolbox): Promise<ProcessSpec> {
  const home = join(config.dataDir, 'registry');
  await mkdir(home, { recursive: true });
  const properties = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': config.ports.registry,
    // Its management interface would listen on every address at a fixed port; nobody here asks it.
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': 0,
    'quarkus.log.level': 'WARN',
    'quarkus.log.category."io.apicurio".level': 'WARN',
    'quarkus.http.access-log.enabled': false,
    'quarkus.log.console.color': false,
    // In memory by default: ids that records carry would change with a restart.
    'apicurio.storage.kind': 'sql',
    'apicurio.storage.sql.kind': 'h2',
    'apicurio.datasource.url': `jdbc:h2:file:${join(home, 'registry')}`,
  };
  const flags = Object.entries(properties).map(([key, value]) => `-D${key}=${value}`);
  return {
    command: java.command,
    args: [
      ...jvmFlags(config, 'registry', config.heapMb.registry, jars),
      ...flags,
      '-jar',
      join(jars.registry, 'quarkus-run.jar'),
    ],
    cwd: home,
  };
}

async function prepareConnect({ config, java, jars }: Toolbox): Promise<ProcessSpec> {
  const home = join(config.dataDir, 'connect');
  const file = join(home, 'worker.properties');
  await mkdir(home, { recursive: true });
  await writeProperties(file, {
    'bootstrap.servers': `127.0.0.1:${config.ports.kafka}`,
    'group.id': 'anchorline-connect',
    listeners: `http://127.0.0.1:${config.ports.connect}`,
    'rest.advertised.host.name': '127.0.0.1',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'config.storage.topic': 'anchorline-connect-configs',
    'config.storage.replication.factor': 1,
    'offset.storage.topic': 'anchorline-connect-offsets',
    'offset.storage.replication.factor': 1,
    'offset.storage.partitions': 5,
    'status.storage.topic': 'anchorline-connect-status',
    'status.storage.replication.factor': 1,
    'status.storage.partitions': 1,
    'offset.flush.interval.ms': 5000,
    'connector.client.config.override.policy': 'All',
    // For connectors whose password is a reference: connect.passwordReference.
    'config.providers': 'file',
    'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    // Every class of every jar would be looked at otherwise: most of a minute.
    'plugin.discovery': 'service_load',
    // A worker that was killed is given up soon, and nobody is waited for: there is but one.
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 2000,
    'scheduled.rebalance.max.delay.ms': 0,
  });
  const jvm = jvmFlags(config, 'connect', config.heapMb.connect, jars);
  const main = 'org.apache.kafka.connect.cli.ConnectDistributed';
  return {
    command: java.command,
    args: [...jvm, ...logging(config), '-cp', join(jars.connect, '*'), main, file],
    cwd: home,
  };
}

/** Half the CPU of a start; slower once warm, so not for throughput. */
const START_FAST = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

function jvmFlags(
  config: StackConfig,
  component: Component,
  heapMb: number,
  jars: StackJars,
): readonly string[] {
  // Loaded classes are kept beside the jars at the first orderly end and mapped by later starts.
  const archive = join(jars.folder, `${component}-${config.profile}.jsa`);
  const shared = [
    '-XX:+AutoCreateSharedArchive',
    `-XX:SharedArchiveFile=${archive}`,
    '-Xlog:cds=off',
    '-Xlog:aot=off',
  ];
  const speed = config.profile === 'fast' ? START_FAST : [];
  return [`-Xmx${heapMb}m`, ...speed, ...shared, '-Djava.awt.headless=true'];
}

function logging(config: StackConfig): readonly string[] {
  return [`-Dlog4j2.configurationFile=${join(config.projectDir, 'ops', 'stack', 'log4j2.properties')}`];
}

async function runJava(java: Java, args: readonly string[]): Promise<void> {
  try {
    await run(java.command, args);
  } catch (error) {
    const detail = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new StackError(STACK_ERRORS.startFailed, `kafka: formatting its storage failed: ${detail}`, error);
  }
}

/** 16 random bytes as Kafka writes them; a leading dash would be read as an option. */
function clusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? `A${id.slice(1)}` : id;
}

async function kafkaAnswers(config: StackConfig): Promise<boolean> {
  mendIdleTimers();
  const kafka = new Kafka({
    clientId: 'anchorline-stack',
    brokers: [...stackEndpoints(config).kafkaBrokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    requestTimeout: 3000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function httpOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function writeProperties(file: string, values: Readonly<Record<string, unknown>>): Promise<void> {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${String(value)}`);
  await writeFile(file, `${lines.join('\n')}\n`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
