/**
 * A pipeline of a test's own on the shared stack: a farm's database, a connector, topics and a schema of the state
 * store, all under names that no other has, and processes that may be killed.
 */
import pg from 'pg';
import type { Role } from '../../src/compose/run.ts';
import { openStore } from '../../src/compose/store.ts';
import type { OpenStore } from '../../src/compose/store.ts';
import type { Config } from '../../src/config/load.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConnectClient } from '../../src/connect/client.ts';
import { StateReader } from '../../src/demo/state.ts';
import { settled } from '../../src/demo/settled.ts';
import type { SchemaGeneration } from '../../src/demo/source-database.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { confluentRegistryUrl } from '../../src/stack/config.ts';
import type { PgEndpoint, StackEndpoints } from '../../src/stack/config.ts';
import { anchorline } from './cli.ts';
import type { Ended } from './cli.ts';
import { KafkaLab, silent } from './kafka-lab.ts';
import { PipelineProcess } from './pipeline-process.ts';
import { eventually } from './pipeline-wait.ts';
import { createDatabase, createFarm, inSource } from './stack-source.ts';

export interface PipelineOptions {
  readonly endpoints: StackEndpoints;
  /** Lower-case letters: the first part of every name. */
  readonly name: string;
  readonly generation: SchemaGeneration;
  /** ISO date; nothing moves it. */
  readonly horizon: string;
  /** Settings that differ from those of all pipelines in tests. */
  readonly env?: Readonly<Record<string, string>>;
}

export const ALL_ROLES: readonly Role[] = ['ingest', 'recompute', 'publish', 'scheduler'];
const SETTLE_MS = 60_000;

export class Pipeline implements AsyncDisposable {
  readonly name: string;
  readonly config: Config;
  readonly env: Readonly<Record<string, string>>;
  readonly endpoints: StackEndpoints;
  readonly lab: KafkaLab;
  #source: pg.Client;
  #state: pg.Client;
  readonly #processes: PipelineProcess[] = [];
  #opened: { readonly store: OpenStore; readonly reader: StateReader } | null = null;

  private constructor(
    name: string,
    env: Readonly<Record<string, string>>,
    endpoints: StackEndpoints,
    source: pg.Client,
    lab: KafkaLab,
    state: pg.Client,
  ) {
    this.name = name;
    this.env = env;
    this.endpoints = endpoints;
    this.config = configOf(env);
    this.#source = source;
    this.lab = lab;
    this.#state = state;
  }

  /** Makes an empty farm; nothing reads it before `deploy`. */
  static async open(options: PipelineOptions): Promise<Pipeline> {
    const { endpoints, generation } = options;
    const name = `${options.name}_${Date.now().toString(36)}`;
    const database = await createDatabase(endpoints.sourcePg, name);
    await createFarm(database, generation);
    const [source, state] = await Promise.all([connect(database), connect(endpoints.statePg)]);
    const lab = await KafkaLab.open(endpoints.kafkaBrokers);
    const env = { ...environment(endpoints, name, options.horizon), ...options.env };
    return new Pipeline(name, env, endpoints, source, lab, state);
  }

  /** The farm's database, as the farm's own system writes it. */
  get source(): pg.Client {
    return this.#source;
  }

  /** After an outage of a database cut the test's own connections. */
  async reconnect(): Promise<void> {
    const { sourcePg, statePg } = this.endpoints;
    const old = [this.#source, this.#state];
    [this.#source, this.#state] = await Promise.all([
      connect({ ...sourcePg, database: this.name }),
      connect(statePg),
    ]);
    const opened = this.#opened;
    this.#opened = null;
    await opened?.reader.close().catch(() => undefined);
    await opened?.store.close();
    await Promise.all(old.map((client) => client.end().catch(() => undefined)));
  }

  /** Runs the command line with this pipeline's settings. */
  cli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return anchorline(args, { ...this.env, ...env });
  }

  /** Schema, topics and connector, by the commands that an operator would use. */
  async deploy(): Promise<void> {
    for (const command of ['migrate', 'topics apply', 'connectors apply']) {
      const { status, stderr } = await this.cli(command.split(' '));
      if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
    }
  }

  /** A process with the roles; the promise resolves once they run. */
  async start(
    roles: readonly Role[] = ALL_ROLES,
    env: Readonly<Record<string, string>> = {},
  ): Promise<PipelineProcess> {
    const process = new PipelineProcess(roles, { ...this.env, ...env });
    this.#processes.push(process);
    return process.started();
  }

  get running(): readonly PipelineProcess[] {
    return this.#processes.filter(({ running }) => running);
  }

  /** Writes to the farm's database, all or nothing. */
  async write(sql: string): Promise<void> {
    try {
      await this.source.query(`begin; ${sql}; commit`);
    } catch (error) {
      await this.source.query('rollback');
      throw new Error(`could not write: ${sql}`, { cause: error });
    }
  }

  /** Rows of the state store; tables are named without their schema. */
  async inStore<T extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    await this.#state.query(`set search_path to ${pg.escapeIdentifier(this.config.store.schema)}`);
    return (await this.#state.query<T>(sql, [...values])).rows;
  }

  /** Resolves once all that was written to the farm has become rows of the topic. */
  async settled(limitMs = SETTLE_MS): Promise<void> {
    const { store, reader } = await this.#open();
    const { horizon } = this.config.scheduler;
    try {
      // Without a horizon nothing is computed, and nothing dirty either.
      await eventually('the horizon is set', 60_000, async () => {
        return (await store.store.horizon()) === isoToDay(horizon);
      });
      await settled(
        {
          source: this.source,
          admin: this.lab.admin,
          store: store.store,
          state: reader,
          prefix: this.config.topics.prefix,
          onWait: () => undefined,
        },
        limitMs,
      );
    } catch (error) {
      const complaints = this.#processes.flatMap((process) => process.complaints);
      throw new Error(`${String(error)}\n${complaints.join('\n')}`, { cause: error });
    }
  }

  /** Ends the processes and removes everything that bears the name. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.running.map((process) => {
        process.resume();
        return process.kill();
      }),
    );
    await this.#opened?.store.close();
    await this.#opened?.reader.close();
    await new ConnectClient(this.endpoints.connectUrl).remove(this.config.connect.connector);
    await this.inStore(`drop schema if exists ${pg.escapeIdentifier(this.config.store.schema)} cascade`);
    const topics = (await this.lab.admin.listTopics()).filter((topic) => topic.includes(this.name));
    if (topics.length > 0) await this.lab.admin.deleteTopics({ topics });
    await Promise.all([this.#source.end(), this.#state.end(), this.lab[Symbol.asyncDispose]()]);
    await dropSlot(this.endpoints.sourcePg, this.config.source.slot);
    await inSource(
      this.endpoints.sourcePg,
      `drop database if exists ${pg.escapeIdentifier(this.name)} with (force)`,
    );
  }

  async #open(): Promise<{ store: OpenStore; reader: StateReader }> {
    const { url, schema } = this.config.store;
    this.#opened ??= {
      store: await openStore(this.config, silent),
      reader: await StateReader.open(url, schema),
    };
    return this.#opened;
  }
}

/** A connection that may be cut off without ending the test. */
async function connect(endpoint: PgEndpoint): Promise<pg.Client> {
  const client = new pg.Client({ ...endpoint });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function configOf(env: Readonly<Record<string, string>>): Config {
  const readFile = (path: string): string => {
    throw new Error(`no file is read: ${path}`);
  };
  return loadConfig({ env, file: null, readFile }).config;
}

/** Names and addresses, and shorter times where a test would otherwise wait for what production can afford. */
function environment(endpoints: StackEndpoints, name: string, horizon: string): Record<string, string> {
  return {
    ANCHORLINE_KAFKA_BROKERS: endpoints.kafkaBrokers.join(','),
    ANCHORLINE_REGISTRY_URL: confluentRegistryUrl(endpoints),
    ANCHORLINE_KAFKA_SESSION_MS: '6000',
    ANCHORLINE_TOPICS_PREFIX: `${name}_farm`,
    ANCHORLINE_TOPICS_NAMESPACE: name,
    ANCHORLINE_TOPICS_PARTITIONS: '4',
    ANCHORLINE_TOPICS_LARGE_PARTITIONS: '2',
    ANCHORLINE_STORE_URL: urlOf(endpoints.statePg),
    ANCHORLINE_STORE_SCHEMA: name,
    ANCHORLINE_STORE_POOL_SIZE: '8',
    ANCHORLINE_SOURCE_ADMIN_URL: urlOf({ ...endpoints.sourcePg, database: name }),
    ANCHORLINE_SOURCE_ROLE: `${name}_cdc`,
    ANCHORLINE_SOURCE_SLOT: name,
    ANCHORLINE_SOURCE_PUBLICATION: name,
    ANCHORLINE_CONNECT_URL: endpoints.connectUrl,
    ANCHORLINE_CONNECT_CONNECTOR: name,
    ANCHORLINE_CONNECT_REGISTRY_URL: endpoints.registryUrlForConnect,
    ANCHORLINE_CONNECT_SOURCE_HOST: endpoints.sourceForConnect.host,
    ANCHORLINE_CONNECT_SOURCE_PORT: String(endpoints.sourceForConnect.port),
    ANCHORLINE_CONNECT_HEARTBEAT_MS: '1000',
    ANCHORLINE_SCHEDULER_HORIZON: horizon,
    ANCHORLINE_SWEEP_INTERVAL_MS: '1000',
    ANCHORLINE_SWEEP_OLDER_THAN_MS: '5000',
    ANCHORLINE_RECOMPUTE_LONGEST_WAIT_MS: '2000',
    // What a connector that stops repeats lacks the beginning of a transaction: that wait ends by its limit alone.
    ANCHORLINE_RECOMPUTE_TRANSACTION_WAIT_MS: '10000',
    ANCHORLINE_PUBLISH_LEASE_MS: '3000',
    ANCHORLINE_HTTP_PORT: '0',
  };
}

export function urlOf({ host, port, user, password, database }: PgEndpoint): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

/** The connector's walsender holds the slot for a moment after the connector is gone. */
async function dropSlot(server: PgEndpoint, slot: string): Promise<void> {
  await eventually(`slot ${slot} is dropped`, 30_000, async () => {
    await inSource(
      server,
      'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active',
      [slot],
    );
    try {
      await inSource(
        server,
        'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
        [slot],
      );
      return true;
    } catch {
      return false;
    }
  });
}
