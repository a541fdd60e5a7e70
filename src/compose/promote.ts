/** What a promotion works with: the two schemas, ingest and recompute of the new one, and the locks on the served one. */
import PQueue from 'p-queue';
import type { Pool } from 'pg';

import type { Config } from '../config/load.ts';
import type { SourceRecord } from '../domain/cdc.ts';
import { ConfigurationError } from '../domain/errors.ts';
import type { Id } from '../domain/facts.ts';
import { ingestTopics, transactionTopic } from '../domain/topics.ts';
import * as codec from '../engine/row-codes.ts';
import { recordDecoder } from '../ingest/decoder.ts';
import { ingestIsolating } from '../ingest/isolate.ts';
import { alignManualAnchors } from '../ingest/manual-anchor.ts';
import { createAvroDecoder } from '../kafka/avro.ts';
import type { BatchContext, PositionOf } from '../kafka/consumer-options.ts';
import { createKafka } from '../kafka/client.ts';
import { ConsumerRunner } from '../kafka/consumer-runner.ts';
import { WatermarkSource } from '../kafka/watermarks.ts';
import { promote } from '../promote/step.ts';
import type { Distance, Held, PromotionStore, Switched } from '../promote/step.ts';
import { recomputePatiently } from '../recompute/patient.ts';
import { sweepTransactions } from '../recompute/sweep.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { StoreUnavailableError, isOverload } from '../store/errors.ts';
import { SHARED_SCHEMA, createPgStore } from '../store/pg-store.ts';
import type { PgStore } from '../store/pg-store.ts';
import {
  adoptNumbers,
  carryOver,
  enteredOtherwise,
  lockServed,
  nameToKeep,
  newlyParked,
  notePromotion,
  offsetsBehind,
  promotedBefore,
  publishDifferences,
  rename,
} from '../store/promotion.ts';
import { lockFacts } from '../store/locks.ts';
import { findReplay } from '../store/replays.ts';
import { Session } from '../store/session.ts';
import { READ_COMMITTED, inSession, inTransaction } from '../store/transaction.ts';
import { registryOf } from '../wiring-access.ts';
import { engineSettingsOf, kafkaConnectionOf } from '../wiring.ts';
import { consumerTuning } from './consumers.ts';
import { isOutage } from './outage.ts';
import { openPool } from './store.ts';
import { withinTransactions } from './transaction-position.ts';

export interface PromoteSchemaOptions {
  readonly config: Config;
  readonly log: Logger;
  /** The replayed schema. */
  readonly name: string;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

const CONNECTIONS = 6;
const ADOPT_CHUNK = 25;
/** What a second or two are enough for; under load nothing is ever at zero. */
const NEAR_OFFSETS = 2_000;
const WAITING_LIMIT = 200;
/** From then on whoever ingested a transaction's last part will not say so any more. */
const TRANSACTION_SETTLE_MS = 1_000;
const TRIES = { tries: 2, backoffMs: 100 };

/** Throws ConfigurationError PRO001 for a schema that cannot be promoted, and what `promote` throws. */
export async function promoteSchema(options: PromoteSchemaOptions): Promise<Switched> {
  const { config, log, name, onProgress } = options;
  const pool = openPool(config, log, CONNECTIONS);
  try {
    const stores = await openBoth(pool, config, name);
    const ended = new AbortController();
    const signal = AbortSignal.any([options.signal, ended.signal]);
    const failed = Promise.withResolvers<never>();
    const kafka = kafkaConnectionOf(config);
    const logs = new WatermarkSource(() => createKafka(kafka, log).admin());
    const ends = transactionTopic(config.topics.prefix);
    const positions = withinTransactions(stores.next, logs, ends, { log, clock: systemClock });
    const runner = ingestInto(stores.next, positions, options, (error) => failed.reject(error));
    const ingest = runner.run(signal);
    ingest.catch(failed.reject);
    try {
      const deps = {
        store: promotionStore(pool, stores, options),
        recompute: (ids: readonly Id[]) => recomputeIn(stores.next, options, ids),
        clock: systemClock,
        onProgress,
      };
      const promoting = promote(deps, {
        holdMs: config.promote.holdMs,
        nearOffsets: NEAR_OFFSETS,
        signal: options.signal,
      });
      return await Promise.race([promoting, failed.promise]);
    } finally {
      ended.abort();
      await ingest.catch(() => undefined);
      await logs.close();
    }
  } finally {
    await pool.end();
  }
}

/** How far the replay is from what is served; nothing is changed. */
export async function promotionDistance(config: Config, log: Logger, name: string): Promise<Distance> {
  const pool = openPool(config, log);
  try {
    const { next } = await openBoth(pool, config, name);
    const names = { schema: config.store.schema, shared: SHARED_SCHEMA };
    return await inSession(pool, names, (session) => distance(session, name, next));
  } finally {
    await pool.end();
  }
}

async function distance(session: Session, name: string, next: PgStore): Promise<Distance> {
  return {
    offsets: await offsetsBehind(session, name),
    waiting: (await next.waitingDirt(0, WAITING_LIMIT)).map(({ assignmentId }) => assignmentId),
    entered: await enteredOtherwise(session, name),
  };
}

interface Both {
  readonly served: PgStore;
  readonly next: PgStore;
}

async function openBoth(pool: Pool, config: Config, name: string): Promise<Both> {
  const open = (schema: string): Promise<PgStore> =>
    createPgStore({
      pool,
      schema,
      codec,
      settings: engineSettingsOf(config),
      transactionWaitMs: config.recompute.transactionWaitMs,
    });
  const { schema } = config.store;
  if (name === schema)
    throw new ConfigurationError('PRO001', `schema ${name} is the one that is served already`);
  const served = await open(schema);
  const names = { schema, shared: SHARED_SCHEMA };
  const before = await inSession(pool, names, (session) => promotedBefore(session, name));
  const found = await findReplay(pool, { ...names, schema: name });
  if (found === 'nothing' && before !== null) {
    throw new ConfigurationError(
      'PRO001',
      `replay ${name} was promoted already: schema ${schema} is it, and what was served before is kept as ${before}`,
    );
  }
  if (typeof found === 'string' || found.state !== 'ready') {
    const what = typeof found === 'string' ? 'no replay has made it' : `it is ${found.state}`;
    throw new ConfigurationError(
      'PRO001',
      `schema ${name} is not ready to be promoted (${what}): \`anchorline replay --as ${name}\` first`,
    );
  }
  const next = await open(name);
  await next.checkSettings();
  if (next.build !== served.build) {
    throw new ConfigurationError(
      'PRO001',
      `schema ${name} was made for the ${next.build} build and ${schema} for ${served.build}: replay again with ` +
        `store.timescale set so that they are alike`,
    );
  }
  const run = await served.resnapshots.latest();
  if (run !== null && run.outcome === null) {
    throw new ConfigurationError(
      'PRO001',
      `resnapshot ${run.id} is under way, and its notes are of schema ${schema}: wait for it, or cancel it`,
    );
  }
  return { served, next };
}

function ingestInto(
  next: PgStore,
  positions: PositionOf,
  { config, log, name }: PromoteSchemaOptions,
  onFatal: (error: unknown) => void,
): ConsumerRunner {
  const { prefix, namespace } = config.topics;
  const wholeTransactions = config.recompute.transactionWaitMs > 0;
  const deps = {
    store: next,
    wholeTransactions,
    decoder: recordDecoder(createAvroDecoder(registryOf(config)), prefix),
    // The served schema's ingest sends them; here they are kept in the schema's own table.
    deadLetters: { send: async () => undefined },
    requests: { request: async () => undefined },
    clock: systemClock,
    settings: engineSettingsOf(config),
    isOutage,
  };
  return new ConsumerRunner({
    connection: kafkaConnectionOf(config),
    groupId: `${namespace}-promote-${name}`,
    topics: ingestTopics(prefix, wholeTransactions),
    positions,
    handleBatch: async (records: readonly SourceRecord[], { topic, partition, expected }: BatchContext) => {
      await ingestIsolating(deps, { topic, partition }, records, expected);
    },
    onFatal,
    isRetryable: isOutage,
    log,
    clock: systemClock,
    tuning: { ...consumerTuning(config), maxRecords: config.ingest.maxBatchRecords },
  });
}

async function recomputeIn(
  next: PgStore,
  { config, log, signal }: PromoteSchemaOptions,
  ids: readonly Id[],
): Promise<void> {
  const nothing = (): void => undefined;
  const deps = {
    store: next,
    requests: { request: async () => undefined },
    clock: systemClock,
    log,
    settings: engineSettingsOf(config),
    isOutage,
    isOverload,
    onResult: nothing,
    onParked: ({ assignmentId, message }: { assignmentId: Id; message: string }) =>
      log.warn({ assignmentId }, `assignment ${assignmentId} is parked in the new schema: ${message}`),
    onRetry: (error: unknown) => log.warn({ err: error }, `a recompute waits: ${describeError(error)}`),
    onPostponed: (assignmentId: Id, error: unknown) =>
      log.error({ assignmentId, err: error }, `assignment ${assignmentId} is too much for the store`),
  };
  const { batchSize, concurrency } = config.recompute;
  const queue = new PQueue({ concurrency });
  const chunks = Array.from({ length: Math.ceil(ids.length / batchSize) }, (_, i) =>
    ids.slice(i * batchSize, (i + 1) * batchSize),
  );
  await queue.addAll(chunks.map((chunk) => () => recomputePatiently(deps, chunk, TRIES, signal)));
}

function promotionStore(
  pool: Pool,
  { served, next }: Both,
  { config, name, log }: PromoteSchemaOptions,
): PromotionStore {
  const names = { schema: config.store.schema, shared: SHARED_SCHEMA };
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> => inSession(pool, names, work);
  const distanceIn = (session: Session): Promise<Distance> => distance(session, name, next);
  return {
    distance: () => read(distanceIn),
    newlyParked: () => read((session) => newlyParked(session, name)),
    bringEntered: async () => {
      const clock = systemClock;
      const deps = {
        store: next,
        requests: { request: async () => undefined },
        clock,
        settings: engineSettingsOf(config),
      };
      await sweepTransactions(deps, TRANSACTION_SETTLE_MS, config.recompute.transactionWaitMs);
      await alignManualAnchors(deps, await served.manualAnchors(null), await next.manualAnchors(null));
      const horizon = await served.horizon();
      if (horizon !== null) await next.moveHorizon(horizon, 0, clock.nowMs());
    },
    adopt: async (onProgress) => {
      const ids = await next.assignmentsWithRows();
      let adopted = 0;
      for (let at = 0; at < ids.length; at += ADOPT_CHUNK) {
        const chunk = ids.slice(at, at + ADOPT_CHUNK);
        adopted += await read((session) => adoptNumbers(session, name, chunk));
        onProgress(at + chunk.length, ids.length);
      }
      return adopted;
    },
    hold: (work) =>
      hold(pool, names, { config, name, log }, (session) => work(held(session, name, distanceIn))),
  };
}

function held(session: Session, name: string, distanceIn: (session: Session) => Promise<Distance>): Held {
  const next = new Session(session.client, { ...session.names, schema: name });
  return {
    distance: () => distanceIn(session),
    newlyParked: () => newlyParked(session, name),
    stopIngest: () => lockFacts(next, 'exclusive'),
    switchOver: async () => {
      await adoptNumbers(session, name, null);
      await carryOver(session, name);
      const counts = await publishDifferences(session, name);
      const keptAs = await nameToKeep(session);
      await notePromotion(session, name, { keptAs, ...counts });
      await rename(session, name, keptAs);
      return { keptAs, ...counts };
    },
  };
}

/** Thrown to roll back what is not to be committed. */
class NotYet extends Error {}

async function hold(
  pool: Pool,
  names: { readonly schema: string; readonly shared: string },
  { config, log }: Pick<PromoteSchemaOptions, 'config' | 'log' | 'name'>,
  work: (session: Session) => Promise<Switched | null>,
): Promise<Switched | null> {
  try {
    return await inTransaction(pool, names, READ_COMMITTED, async (session) => {
      await lockServed(session, config.promote.lockMs, config.promote.holdMs);
      const switched = await work(session);
      if (switched === null) throw new NotYet('not level yet');
      return switched;
    });
  } catch (error) {
    if (error instanceof NotYet) return null;
    // A lock that could not be had within its time, or a deadlock with a transaction that was under way.
    if (!(error instanceof StoreUnavailableError)) throw error;
    log.debug({ err: error }, 'the served tables are busy');
    return null;
  }
}
