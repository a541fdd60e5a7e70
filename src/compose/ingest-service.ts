/** The ingest role: change topics → facts and dirt. */
import type { SourceRecord } from '../domain/cdc.ts';
import {
  deadLetterTopic,
  ingestTopics,
  recomputeRequestsTopic,
  tableOfTopic,
  transactionTopic,
} from '../domain/topics.ts';
import { recordDecoder } from '../ingest/decoder.ts';
import { ingestIsolating } from '../ingest/isolate.ts';
import type { IsolatingIngestDeps } from '../ingest/isolate.ts';
import type { IngestResult } from '../ingest/step.ts';
import { createAvroDecoder } from '../kafka/avro.ts';
import type { BatchContext } from '../kafka/consumer-options.ts';
import { createKafka } from '../kafka/client.ts';
import { ConsumerRunner } from '../kafka/consumer-runner.ts';
import { KafkaDeadLetterTopic, KafkaRecomputeRequests } from '../kafka/producers.ts';
import { WatermarkSource } from '../kafka/watermarks.ts';
import type { Service } from '../runtime/lifecycle.ts';
import { recordLatency } from '../runtime/metrics.ts';
import { VERSION } from '../version.ts';
import { registryOf } from '../wiring-access.ts';
import { engineSettingsOf } from '../wiring.ts';
import type { App } from './app.ts';
import { consumerEvents, consumerTuning, partitionHalted } from './consumers.ts';
import { isOutage } from './outage.ts';
import { withinTransactions } from './transaction-position.ts';

/** What ingest works with, and how to let go of it. */
export interface IngestTools {
  readonly deps: IsolatingIngestDeps;
  close(): Promise<void>;
}

export function createIngestTools(
  app: Pick<App, 'config' | 'log' | 'kafka' | 'store' | 'clock'>,
): IngestTools {
  const { config, log } = app;
  const { namespace, prefix } = config.topics;
  const requests = createRequests(app);
  const deadLetters = new KafkaDeadLetterTopic({
    connection: app.kafka,
    log,
    version: VERSION,
    topic: deadLetterTopic(namespace),
  });
  return {
    deps: {
      store: app.store,
      decoder: recordDecoder(createAvroDecoder(registryOf(config)), prefix),
      deadLetters,
      requests,
      clock: app.clock,
      settings: engineSettingsOf(config),
      wholeTransactions: config.recompute.transactionWaitMs > 0,
      isOutage,
    },
    close: async () => {
      await Promise.all([requests.close(), deadLetters.close()]);
    },
  };
}

export function createIngestService(app: App): Service {
  const { config, clock } = app;
  const { prefix } = config.topics;
  const log = app.log.child({ role: 'ingest' });
  const logs = new WatermarkSource(() => createKafka(app.kafka, log).admin());
  const tools = createIngestTools({ ...app, log });
  const truncated = new Set<string>();
  const handleBatch = async (records: readonly SourceRecord[], context: BatchContext): Promise<void> => {
    const { topic, partition, expected } = context;
    const results = await app.work.during('ingest', `a batch of ${topic}/${partition}`, () =>
      ingestIsolating(tools.deps, { topic, partition }, records, expected),
    );
    for (const result of results) note(app, result, truncated);
  };
  const runner = new ConsumerRunner({
    connection: app.kafka,
    groupId: config.ingest.groupId,
    topics: ingestTopics(prefix, config.recompute.transactionWaitMs > 0),
    positions: withinTransactions(app.store, logs, transactionTopic(prefix), { log, clock }),
    handleBatch,
    onFatal: (error, at) => partitionHalted(app, 'ingest', error, at),
    isRetryable: isOutage,
    log,
    clock,
    events: consumerEvents(app, 'ingest'),
    tuning: {
      ...consumerTuning(config),
      concurrency: config.ingest.partitionsConcurrently,
      maxRecords: config.ingest.maxBatchRecords,
    },
  });
  return {
    id: 'ingest',
    run: (signal) => runner.run(signal),
    stop: async () => {
      await Promise.all([tools.close(), logs.close()]);
    },
  };
}

export function createRequests(app: Pick<App, 'config' | 'log' | 'kafka'>): KafkaRecomputeRequests {
  return new KafkaRecomputeRequests({
    connection: app.kafka,
    log: app.log,
    topic: recomputeRequestsTopic(app.config.topics.namespace),
    events: {
      lost: (assignments, error) =>
        app.log.warn({ err: error, assignments }, 'wake-ups were lost: the sweeper will find the dirt'),
    },
  });
}

function note({ metrics, clock, log, config }: App, result: IngestResult, warned: Set<string>): void {
  metrics.ingestTransactions.inc();
  for (const [table, { upserts, deletes }] of result.plan.counts.changesByTable) {
    metrics.eventsIngested.inc({ table, op: 'upsert' }, upserts);
    metrics.eventsIngested.inc({ table, op: 'delete' }, deletes);
  }
  for (const { record, rejection } of result.letters) {
    metrics.recordsRejected.inc({ code: rejection.code });
    const { topic, partition, offset } = record;
    log.warn({ topic, partition, offset: offset.toString(), code: rejection.code }, rejection.message);
  }
  for (const [topic, count] of result.plan.counts.truncates) {
    const table = tableOfTopic(config.topics.prefix, topic) ?? topic;
    metrics.truncates.inc({ table }, count);
    if (warned.has(table)) continue;
    warned.add(table);
    log.warn(
      { table },
      `${table} was truncated in the source: its rows stay here until a new snapshot of it`,
    );
  }
  const nowMs = clock.nowMs();
  recordLatency(metrics, 'decode_to_ingest', result.decodedMs, nowMs);
  recordLatency(metrics, 'commit_to_ingest', result.plan.committedMs, nowMs);
}
