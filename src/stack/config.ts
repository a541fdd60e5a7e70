/** What the local stack is made of and where it lives; every value is a setting with a default. */
import { join, resolve } from 'node:path';

export const COMPONENTS = ['postgres', 'kafka', 'registry', 'connect'] as const;
export type Component = (typeof COMPONENTS)[number];

/** `fast`: quick to start, little memory, no fsync; for demos and tests. `full`: the JVMs and Postgres as they are. */
export type StackProfile = 'fast' | 'full';

export interface StackPorts {
  readonly postgres: number;
  readonly kafka: number;
  /** KRaft's controller listener; only the broker itself speaks to it. */
  readonly kafkaController: number;
  readonly registry: number;
  readonly connect: number;
}

export interface StackConfig {
  /** The project's root: where ops/stack lies. */
  readonly projectDir: string;
  /** Data, logs and pid files of one stack; two stacks need two folders and other ports. */
  readonly dataDir: string;
  /** Jars fetched by Maven, kept apart from the data so that a reset costs no download. */
  readonly jarsDir: string;
  readonly ports: StackPorts;
  /** Largest JVM heaps, MB. */
  readonly heapMb: { readonly kafka: number; readonly registry: number; readonly connect: number };
  readonly profile: StackProfile;
  /** Where to look for Java first; a JAVA_HOME that is too old is passed over. */
  readonly javaHome: string | null;
  /** How long a component may take to answer, ms. */
  readonly startTimeoutMs: number;
  /** How long a component may take to end before it is killed, ms. */
  readonly stopTimeoutMs: number;
}

/** The environment variable that moves each port: named in errors, read by the configuration. */
export const PORT_SETTINGS: Readonly<Record<keyof StackPorts, string>> = {
  postgres: 'ANCHORLINE_STACK_POSTGRES_PORT',
  kafka: 'ANCHORLINE_STACK_KAFKA_PORT',
  kafkaController: 'ANCHORLINE_STACK_KAFKA_CONTROLLER_PORT',
  registry: 'ANCHORLINE_STACK_REGISTRY_PORT',
  connect: 'ANCHORLINE_STACK_CONNECT_PORT',
};

export const DEFAULT_PORTS: StackPorts = {
  postgres: 15432,
  kafka: 19092,
  kafkaController: 19093,
  registry: 18080,
  connect: 18083,
};

export const DEFAULT_HEAP_MB = { kafka: 1024, registry: 384, connect: 768 } as const;

/** The server's superuser. The stack listens on 127.0.0.1 alone, so the password keeps nobody out but mistakes. */
export const STACK_PG_USER = 'postgres';
export const STACK_PG_PASSWORD = 'postgres';
export const SOURCE_DATABASE = 'farm';
export const STATE_DATABASE = 'anchorline';

/** Fills a configuration from what is given; relative folders count from the project's root. */
export function stackConfig(
  given: Partial<Omit<StackConfig, 'ports' | 'heapMb'>> & {
    readonly projectDir: string;
    readonly ports?: Partial<StackPorts>;
    readonly heapMb?: Partial<StackConfig['heapMb']>;
  },
): StackConfig {
  const projectDir = resolve(given.projectDir);
  return {
    projectDir,
    dataDir: resolve(projectDir, given.dataDir ?? join('.anchorline', 'stack')),
    jarsDir: resolve(projectDir, given.jarsDir ?? join('.anchorline', 'jars')),
    ports: { ...DEFAULT_PORTS, ...given.ports },
    heapMb: { ...DEFAULT_HEAP_MB, ...given.heapMb },
    profile: given.profile ?? 'full',
    javaHome: given.javaHome ?? null,
    startTimeoutMs: given.startTimeoutMs ?? 180_000,
    stopTimeoutMs: given.stopTimeoutMs ?? 20_000,
  };
}

export interface PgEndpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Where a running stack is reached. */
export interface StackEndpoints {
  readonly kafkaBrokers: readonly string[];
  readonly connectUrl: string;
  /** The registry's root; its Confluent API is under /apis/ccompat/v7. */
  readonly registryUrl: string;
  /** The registry as Connect's converter reaches it (another name inside containers). */
  readonly registryUrlForConnect: string;
  /** The farm's database as its administrator. */
  readonly sourcePg: PgEndpoint;
  /** The farm's database as Connect reaches it. */
  readonly sourceForConnect: { readonly host: string; readonly port: number };
  readonly statePg: PgEndpoint;
}

export function stackEndpoints(config: StackConfig): StackEndpoints {
  const { ports } = config;
  const pg = {
    host: '127.0.0.1',
    port: ports.postgres,
    user: STACK_PG_USER,
    password: STACK_PG_PASSWORD,
  };
  return {
    kafkaBrokers: [`127.0.0.1:${ports.kafka}`],
    connectUrl: `http://127.0.0.1:${ports.connect}`,
    registryUrl: `http://127.0.0.1:${ports.registry}`,
    registryUrlForConnect: `http://127.0.0.1:${ports.registry}`,
    sourcePg: { ...pg, database: SOURCE_DATABASE },
    sourceForConnect: { host: pg.host, port: pg.port },
    statePg: { ...pg, database: STATE_DATABASE },
  };
}

/** Where the Confluent API of the registry is: what Avro clients of ours are given. */
export function confluentRegistryUrl(endpoints: StackEndpoints): string {
  return `${endpoints.registryUrl}/apis/ccompat/v7`;
}

/** One line of progress for people; components tell their own name. */
export type Progress = (line: string) => void;
