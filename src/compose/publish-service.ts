/** The publish role: one fenced relay per shard of the publication log. */
import { dayToIso } from '../domain/day.ts';
import { UnpublishableError } from '../domain/errors.ts';
import { dailyStateTopic } from '../domain/topics.ts';
import { createAvroEncoder } from '../kafka/avro.ts';
import type { AvroEncoder } from '../kafka/avro.ts';
import { KafkaDailyStateTopic } from '../kafka/daily-state-topic.ts';
import type { EncodedMessage } from '../kafka/daily-state-topic.ts';
import type { DailyStateMessage } from '../domain/ports.ts';
import { contractSubjects, toAvro } from '../publish/contract.ts';
import { runRelay } from '../publish/relay.ts';
import type { FencedTopic, RelayEvents } from '../publish/relay.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Service } from '../runtime/lifecycle.ts';
import { recordLatency } from '../runtime/metrics.ts';
import { ENDLESS, retryLevel } from '../runtime/retry.ts';
import { registryOf } from '../wiring-access.ts';
import type { App } from './app.ts';
import { untilAbreast } from './publish-guard.ts';
import { noteRetry } from './failures.ts';
import type { WakeUp } from './wake-up.ts';

/** Pause before one that stands by looks at the lease again, ms. */
const STAND_BY_MS = 1_000;

export function createPublishService(app: App, work: WakeUp): Service {
  const { config, clock, store, processId } = app;
  const { shards, batchEntries, leaseMs, pollMs } = config.publish;
  const relay = (shard: number, signal: AbortSignal): Promise<void> =>
    runRelay(
      {
        store,
        topic: new ContractTopic(app, shard),
        clock,
        events: relayEvents(app),
        waitForWork: (ms, until) => work.wait(clock, ms, until),
      },
      {
        shard,
        shards,
        owner: processId,
        leaseMs,
        batchEntries,
        pollMs,
        standByMs: STAND_BY_MS,
        backoff: ENDLESS,
        stopMs: config.shutdown.deadlineMs / 4,
      },
      signal,
    );
  for (let shard = 0; shard < shards; shard += 1) {
    app.health.set('publish', 'neither leads nor stands by yet', partOf(shard));
  }
  return {
    id: 'publish',
    run: async (signal) => {
      await untilAbreast(app, signal);
      await Promise.all(Array.from({ length: shards }, (_, shard) => relay(shard, signal)));
    },
  };
}

interface Encoders {
  readonly key: AvroEncoder;
  readonly value: AvroEncoder;
}

/** The topic with its schemas: registered at each `open`. */
class ContractTopic implements FencedTopic {
  readonly #app: App;
  readonly #topic: KafkaDailyStateTopic;
  #encoders: Encoders | null = null;

  constructor(app: App, shard: number) {
    const { namespace } = app.config.topics;
    this.#app = app;
    this.#topic = new KafkaDailyStateTopic({
      connection: app.kafka,
      topic: dailyStateTopic(namespace),
      transactionalId: `${namespace}.publish.${shard}`,
      encode: (message) => this.#encode(message),
      log: app.log.child({ role: 'publish', shard }),
    });
  }

  async open(): Promise<void> {
    // At each open: a registry may have lost what it was told before.
    this.#encoders = await register(this.#app);
    await this.#topic.open();
  }

  publish(batches: Parameters<FencedTopic['publish']>[0]): Promise<void> {
    return this.#topic.publish(batches);
  }

  close(): Promise<void> {
    return this.#topic.close();
  }

  #encode(message: DailyStateMessage): EncodedMessage {
    if (this.#encoders === null) throw new Error('encoded before open');
    try {
      const { key, value } = toAvro(message);
      return {
        key: this.#encoders.key.encode(key),
        value: value === null ? null : this.#encoders.value.encode(value),
      };
    } catch (error) {
      const { assignmentId, day } = message;
      throw new UnpublishableError(`day ${dayToIso(day)} of assignment ${assignmentId}`, error);
    }
  }
}

async function register({ config }: App): Promise<Encoders> {
  const { key, value } = contractSubjects(dailyStateTopic(config.topics.namespace));
  const registry = registryOf(config);
  return {
    key: await createAvroEncoder(registry, key.subject, key.schema),
    value: await createAvroEncoder(registry, value.subject, value.schema),
  };
}

function partOf(shard: number): string {
  return `shard ${shard}`;
}

function relayEvents({ metrics, log, health }: App): RelayEvents {
  const fine = (shard: number): void => void health.set('publish', null, partOf(shard));
  return {
    leader: (shard, leading) => {
      metrics.leader.set({ shard: String(shard) }, leading ? 1 : 0);
      if (leading) {
        fine(shard);
        metrics.connected.set({ target: 'kafka' }, 1);
      }
      log.info({ shard }, leading ? 'leads the shard' : 'no longer leads the shard');
    },
    standsBy: fine,
    published: (batches, atMs) => {
      for (const batch of batches) {
        metrics.rowsPublished.inc(batch.messages.length);
        recordLatency(metrics, 'decode_to_topic', batch.decodedMs, atMs);
        recordLatency(metrics, 'commit_to_topic', batch.committedMs, atMs);
      }
    },
    setAside: (shard, { assignmentId, code, message }) => {
      metrics.publicationsSetAside.inc();
      log.error({ shard, assignmentId, code }, `assignment ${assignmentId} is parked: ${message}`);
    },
    fenced: (shard) => log.warn({ shard }, 'a newer leader took over the shard'),
    failed: (shard, error, delayMs) => {
      const why = describeError(error);
      noteRetry({ metrics }, error);
      health.set('publish', `${partOf(shard)}: ${why}`, partOf(shard));
      log[retryLevel(delayMs)](
        { shard, delayMs, err: error },
        `publishing failed (${why}): trying again in ${delayMs} ms`,
      );
    },
  };
}
