/**
 * The whole pipeline before one's eyes: a farm's database is made and played, captured, computed and published;
 * then three corrections are written and followed to the topic.
 */
import type { Admin } from 'kafkajs';
import pg from 'pg';
import type { Config } from '../config/load.ts';
import { ROLES, runRoles } from '../compose/run.ts';
import { migrateStore, openStore } from '../compose/store.ts';
import { ConnectClient } from '../connect/client.ts';
import { loadConnector } from '../connect/definition.ts';
import { prepareSource } from '../connect/source.ts';
import { applyTopics, planTopics } from '../connect/topic-plan.ts';
import { topicManifest } from '../connect/topics.ts';
import { dailyStateTopic } from '../domain/topics.ts';
import { createKafka } from '../kafka/client.ts';
import type { KafkaConnection } from '../kafka/client.ts';
import type { ExitCode } from '../runtime/exit-codes.ts';
import type { Logger } from '../runtime/logger.ts';
import { stackUp } from '../stack/stack.ts';
import {
  connectorFileOf,
  connectorSettingsOf,
  kafkaConnectionOf,
  sourceAdminOf,
  sourceSettingsOf,
  stackOf,
  topicSettingsOf,
} from '../wiring.ts';
import { connectOf, registryOf } from '../wiring-access.ts';
import { batchTable, weightChart } from './chart.ts';
import { CORRECTIONS } from './corrections.ts';
import { SAMPLE_BATCH, readTables } from './data.ts';
import { followCorrection } from './follow.ts';
import { stackMemory } from './memory.ts';
import { createSource, demoConfig, removeEarlierRuns } from './names.ts';
import { DemoSignals } from './signals.ts';
import { settled } from './settled.ts';
import type { Pipeline } from './settled.ts';
import { createSourceSchema, playDay } from './source-database.ts';
import { StateReader } from './state.ts';
import { timelineOf } from './timeline.ts';
import type { DayOfWrites } from './timeline.ts';
import { TopicWatcher } from './watcher.ts';

export interface DemoOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly print: (line: string) => void;
  /** What is going on at the moment; may come often. */
  readonly progress: (line: string) => void;
  /** End after the last correction instead of staying up. */
  readonly once: boolean;
}

/** The share of the batch's days that is written before the connector starts, and so comes by snapshot. */
const PLAYED_BEFORE = 0.5;
const SETTLE_LIMIT_MS = 300_000;
const CONNECTOR_START_MS = 120_000;

/** One run's means: its settings, its clients, and how it speaks. */
interface Run {
  readonly config: Config;
  readonly options: DemoOptions;
  readonly connection: KafkaConnection;
  readonly admin: Admin;
  readonly source: pg.Client;
  readonly say: (line: string) => void;
  readonly cleanUp: AsyncDisposableStack;
}

export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const days = timelineOf(await readTables(SAMPLE_BATCH));
  const split = Math.floor(days.length * PLAYED_BEFORE);
  const lastDay = days.at(-1)?.date ?? '';
  await using cleanUp = new AsyncDisposableStack();
  const run = await begin(options, lastDay, cleanUp);
  const { config, say } = run;
  await play(run, days.slice(0, split));
  say(`the farm's database holds the batch up to ${days[split - 1]?.date}`);
  const connect = await capture(run);

  const signals = new DemoSignals();
  cleanUp.defer(async () => signals.close());
  const ready = Promise.withResolvers<void>();
  const running = runRoles({ config, log: options.log, roles: ROLES, signals, onReady: ready.resolve });
  await Promise.race([ready.promise, running]);
  const watcher = await watch(run);
  const pipeline = await observe(run, watcher);

  await play(run, days.slice(split));
  await settled(pipeline, SETTLE_LIMIT_MS);
  await watcher.caughtUp(run.admin, SETTLE_LIMIT_MS);
  say(`the batch is computed to ${lastDay}: ${watcher.count} rows were published on the way`);
  for (const correction of CORRECTIONS) {
    await followCorrection(correction, pipeline, watcher, options.print);
  }
  await compareTopicWithTable(pipeline.state, watcher, say);
  const batchDays = await pipeline.state.batchDays();
  options.print(`\n${batchTable(batchDays)}\n\n${weightChart(batchDays)}\n`);
  await tellMemory(run);
  if (!options.once) {
    say(`staying up until Ctrl-C: change something in ${redacted(config.source.adminUrl)}`);
    await Promise.race([signals.interrupted, running]);
  }
  signals.end();
  const code = await running;
  // The connector would go on filling its slot's WAL for nobody.
  await connect.remove(config.connect.connector);
  return code;
}

/** The stack, an empty source database, and clients to both. */
async function begin(options: DemoOptions, lastDay: string, cleanUp: AsyncDisposableStack): Promise<Run> {
  const startMs = Date.now();
  const digits = new Date(startMs).toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const config = demoConfig(options.config, digits, lastDay);
  const say = (line: string): void => {
    options.print(`[${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} s] ${line}`);
  };
  say('bringing up Postgres, Kafka, registry and Connect (`anchorline stack down` ends them)');
  await stackUp(stackOf(config), (line) => options.progress(`stack: ${line}`));
  const connection = kafkaConnectionOf(config);
  const admin = createKafka(connection, options.log).admin();
  await admin.connect();
  cleanUp.defer(() => admin.disconnect());
  await removeEarlierRuns(config, admin);
  await createSource(config);
  const source = new pg.Client({ connectionString: config.source.adminUrl });
  await source.connect();
  cleanUp.defer(() => source.end());
  await createSourceSchema(source, 'newer');
  return { config, options, connection, admin, source, say, cleanUp };
}

/** State store, topics and connector. */
async function capture({ config, options, admin, say }: Run): Promise<ConnectClient> {
  await migrateStore(config, options.log);
  await applyTopics(admin, await planTopics(admin, topicManifest(topicSettingsOf(config))));
  const prepared = await prepareSource(sourceAdminOf(config), sourceSettingsOf(config), options.progress);
  say(`${prepared.captured.length} tables are prepared for capture, the topics are made`);
  const connect = new ConnectClient(connectOf(config));
  await connect.apply(await loadConnector(connectorFileOf(config), connectorSettingsOf(config)));
  await connect.awaitRunning(config.connect.connector, CONNECTOR_START_MS);
  say('the connector runs: what is there comes by snapshot, what follows from the log');
  return connect;
}

async function watch({ config, options, connection, cleanUp }: Run): Promise<TopicWatcher> {
  const watcher = await TopicWatcher.start({
    connection,
    registry: registryOf(config),
    topic: dailyStateTopic(config.topics.namespace),
    groupId: `${config.topics.namespace}-demo`,
    log: options.log,
  });
  cleanUp.defer(() => watcher.stop());
  return watcher;
}

async function observe(run: Run, watcher: TopicWatcher): Promise<Pipeline> {
  const { config, options, source, admin, cleanUp } = run;
  const opened = await openStore(config, options.log);
  cleanUp.defer(() => opened.close());
  const state = await StateReader.open(config.store.url, config.store.schema);
  cleanUp.defer(() => state.close());
  return {
    source,
    admin,
    store: opened.store,
    state,
    prefix: config.topics.prefix,
    onWait: ({ positions, dirt, publications }) => {
      const read = positions.reduce((sum, { next }) => sum + next, 0n);
      options.progress(
        `${read} changes ingested, ${dirt.assignments} assignments to compute, ` +
          `${publications.entries} publications to send, ${watcher.count} rows published`,
      );
    },
  };
}

async function play({ source, options }: Run, days: readonly DayOfWrites[]): Promise<void> {
  for (const [i, day] of days.entries()) {
    await playDay(source, day);
    if (i % 50 === 0) options.progress(`the farm writes its day ${day.date}`);
  }
}

async function tellMemory({ config, say }: Run): Promise<void> {
  const mb = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
  const parts = await stackMemory(stackOf(config));
  const stack = parts.map(({ component, rssBytes }) => `${component} ${mb(rssBytes)}`);
  say(`done; memory: this process ${mb(process.memoryUsage().rss)}, ${stack.join(', ')}`);
}

/** The promise to consumers: the topic's last value of every key is the table's row. */
async function compareTopicWithTable(
  state: StateReader,
  watcher: TopicWatcher,
  say: (line: string) => void,
): Promise<void> {
  const table = await state.revisions();
  const topic = watcher.lastRevisions();
  const differing = [...table].filter(([key, revision]) => topic.get(key) !== revision).length;
  const gone = [...topic.keys()].filter((key) => !table.has(key)).length;
  if (differing + gone > 0) {
    throw new Error(
      `${differing} rows of the table are not the topic's, ${gone} of the topic are not the table's`,
    );
  }
  say(`table and topic agree on all ${table.size} rows and their revisions`);
}

function redacted(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}
