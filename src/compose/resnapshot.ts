/** What a resnapshot works with; and the service that drives an open one, wherever the scheduler's role is played. */
import type { SourceRecord } from '../domain/cdc.ts';
import { TABLE_STATES } from '../domain/resnapshot.ts';
import type { Resnapshot } from '../domain/resnapshot.ts';
import { createAvroDecoder } from '../kafka/avro.ts';
import { createKafka } from '../kafka/client.ts';
import { ConsumerRunner } from '../kafka/consumer-runner.ts';
import { KafkaSweepTopics } from '../kafka/sweep-topics.ts';
import { WatermarkSource } from '../kafka/watermarks.ts';
import { driveResnapshot } from '../resnapshot/drive.ts';
import type { DriveDeps } from '../resnapshot/drive.ts';
import { readShown } from '../resnapshot/reader.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Service } from '../runtime/lifecycle.ts';
import { engineSettingsOf } from '../wiring.ts';
import { registryOf } from '../wiring-access.ts';
import type { App } from './app.ts';
import { consumerTuning } from './consumers.ts';
import { isOutage } from './outage.ts';

const LEASE = 'resnapshot';
const LEASE_MS = 15_000;
/** How often it is looked whether there is a run to drive. */
const LOOK_MS = 5_000;

export interface ResnapshotTools {
  readonly deps: DriveDeps;
  close(): Promise<void>;
}

type Parts = Pick<App, 'config' | 'log' | 'kafka' | 'store' | 'clock' | 'processId'>;

export function createResnapshotTools(parts: Parts): ResnapshotTools {
  const { config, kafka, store, clock, processId } = parts;
  const log = parts.log.child({ role: 'resnapshot' });
  const { prefix } = config.topics;
  const logs = new WatermarkSource(() => createKafka(kafka, log).admin());
  const topics = new KafkaSweepTopics({
    connection: kafka,
    log,
    registry: registryOf(config),
    prefix,
  });
  const decoder = createAvroDecoder(registryOf(config));
  const settings = engineSettingsOf(config);
  const deps: DriveDeps = {
    store: store.resnapshots,
    topics,
    logs,
    decoder,
    settings,
    clock,
    prefix,
    maxPercent: config.resnapshot.maxPercent,
    isOutage,
    mayDrive: () => store.acquireLease(LEASE, processId, LEASE_MS),
    onRest: (run) => log.info({ run: run.id, outcome: run.outcome }, restText(run)),
    onTrouble: (error) => log.warn({ err: error }, `the resnapshot waits: ${describeError(error)}`),
    read: (run, names, onLost, signal) => {
      const handleBatch = (records: readonly SourceRecord[], at: Parameters<typeof readShown>[3]) =>
        readShown({ store: store.resnapshots, decoder, settings, prefix }, run, records, at);
      const reader = new ConsumerRunner({
        connection: kafka,
        groupId: `${config.topics.namespace}-resnapshot`,
        topics: names,
        positions: async (wanted) => {
          const read = await store.resnapshots.partitions(run);
          const next = new Map(read.map((at) => [`${at.topic}/${at.partition}`, at.read]));
          return wanted.map(({ topic, partition }) => next.get(`${topic}/${partition}`) ?? 0n);
        },
        handleBatch,
        onFatal: (error) => onLost(describeError(error)),
        isRetryable: isOutage,
        log,
        clock,
        tuning: consumerTuning(config),
      });
      return reader.run(signal);
    },
  };
  return {
    deps,
    async close() {
      await Promise.all([logs.close(), topics.close(), store.releaseLease(LEASE, processId)]);
    },
  };
}

function restText({ outcome, why }: Resnapshot): string {
  if (outcome === null)
    return 'the resnapshot waits for an operator: `anchorline resnapshot status` tells why';
  return `the resnapshot is ${outcome}${why === null ? '' : `: ${why}`}`;
}

export function createResnapshotService(app: App): Service {
  const { clock, log, store } = app;
  const tools = createResnapshotTools(app);
  const onLook = (run: Resnapshot | null): void => count(app, run);
  return {
    id: 'resnapshot',
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          onLook(await store.resnapshots.latest());
          await driveResnapshot({ ...tools.deps, onLook }, signal);
        } catch (error) {
          log.warn({ err: error }, `the resnapshot is not driven: ${describeError(error)}`);
        }
        await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      }
    },
    stop: () => tools.close(),
  };
}

/** Whoever plays the scheduler tells of it, whether it drives or not: what is held waits for somebody. */
function count({ metrics }: App, run: Resnapshot | null): void {
  const tables = run === null || run.outcome !== null ? [] : run.tables;
  for (const state of TABLE_STATES) {
    metrics.resnapshotTables.set({ state }, tables.filter((table) => table.state === state).length);
  }
}
