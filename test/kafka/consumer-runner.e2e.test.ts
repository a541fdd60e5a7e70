import { CompressionTypes, KafkaJSNonRetriableError } from 'kafkajs';
import type { Consumer, ConsumerRunConfig, Kafka } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import type { SourceRecord } from '../../src/domain/cdc.ts';
import { AnchorlineError, StalePositionError } from '../../src/domain/errors.ts';
import type { PartitionId } from '../../src/domain/ports.ts';
import { createKafka } from '../../src/kafka/client.ts';
import type { BatchContext, ConsumerOptions, HandleBatch } from '../../src/kafka/consumer-options.ts';
import { ConsumerRunner } from '../../src/kafka/consumer-runner.ts';
import { KAFKA_ERRORS } from '../../src/kafka/errors.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { KafkaLab, numbered, silent, until } from '../support/kafka-lab.ts';
import { keepLog } from '../support/log-lines.ts';
import { endpointsOf } from '../support/stack-provider.ts';

let lab: KafkaLab;
beforeAll(async () => {
  lab = await KafkaLab.open(endpointsOf(inject('stack')).kafkaBrokers);
});
afterAll(() => lab[Symbol.asyncDispose]());

/** Positions and handled values as a store keeps them: moved by compare-and-set together with what was read. */
class Ledger {
  readonly positions = new Map<string, bigint>();
  readonly values = new Map<string, string[]>();
  readonly slices: number[] = [];

  at(topic: string, partition: number): bigint {
    return this.positions.get(`${topic}/${partition}`) ?? 0n;
  }

  seen(topic: string, partition = 0): readonly string[] {
    return this.values.get(`${topic}/${partition}`) ?? [];
  }

  readonly positionOf = async (partitions: readonly PartitionId[]) =>
    partitions.map(({ topic, partition }) => this.at(topic, partition));

  readonly handle: HandleBatch = async (records, context) => this.take(records, context);

  take(records: readonly SourceRecord[], { topic, partition, expected }: BatchContext): void {
    if (this.at(topic, partition) !== expected) throw new StalePositionError(topic, partition, expected);
    const values = this.values.get(`${topic}/${partition}`) ?? [];
    this.values.set(`${topic}/${partition}`, [...values, ...records.map((record) => String(record.value))]);
    this.positions.set(`${topic}/${partition}`, (records.at(-1)?.offset ?? expected) + 1n);
    this.slices.push(records.length);
  }
}

interface Running {
  readonly fatal: { readonly error: unknown; readonly at: PartitionId }[];
  stop(): Promise<void>;
}

function run(
  options: Pick<ConsumerOptions, 'topics' | 'positions' | 'handleBatch'> & Partial<ConsumerOptions>,
): Running {
  const abort = new AbortController();
  const fatal: Running['fatal'] = [];
  const { tuning, ...rest } = options;
  const runner = new ConsumerRunner({
    connection: lab.connection,
    groupId: lab.name('group'),
    onFatal: (error, at) => fatal.push({ error, at }),
    log: silent,
    clock: systemClock,
    tuning: { maxWaitMs: 100, commitMs: 200, backoff: QUICK, ...tuning },
    ...rest,
  });
  const done = runner.run(abort.signal);
  return {
    fatal,
    async stop() {
      abort.abort(new Error('the test stops it'));
      await done;
    },
  };
}

const QUICK = { firstDelayMs: 50, factor: 2, maxDelayMs: 400, jitter: 0, tries: null };
const outage = () => new AnchorlineError('TST001', 'the store is away', { retryable: true });

describe('positions', () => {
  test('each record is handled once, in order, over markers and aborted transactions, in slices', async () => {
    const topic = await lab.topic();
    const ledger = new Ledger();
    await lab.send(topic, 0, numbered('a', 25), CompressionTypes.LZ4);
    await lab.transact(topic, 0, numbered('b', 3), 'commit');
    await lab.transact(topic, 0, numbered('lost', 4), 'abort');
    await lab.send(topic, 0, numbered('c', 5), CompressionTypes.ZSTD);
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: ledger.handle,
      tuning: { maxRecords: 10 },
    });
    const early = [...numbered('a', 25), ...numbered('b', 3), ...numbered('c', 5)];
    await until(() => ledger.seen(topic).length >= early.length);
    // A batch of nothing but markers and aborted records passes by; what follows it is still accepted.
    await lab.transact(topic, 0, numbered('lost', 2), 'abort');
    await lab.transact(topic, 0, numbered('d', 2), 'commit');
    await lab.send(topic, 0, ['e'], CompressionTypes.GZIP);
    await until(() => ledger.seen(topic).includes('e'));
    await consumer.stop();
    expect(ledger.seen(topic)).toEqual([...early, ...numbered('d', 2), 'e']);
    expect(Math.max(...ledger.slices)).toBeLessThanOrEqual(10);
    expect(consumer.fatal).toEqual([]);
  });

  test("the store's position counts, not the group's, though nothing new arrives", async () => {
    const topic = await lab.topic(2);
    const groupId = lab.name('group');
    await lab.send(topic, 0, numbered('a', 10));
    await lab.send(topic, 1, numbered('b', 10));
    await lab.admin.setOffsets({
      groupId,
      topic,
      partitions: [
        { partition: 0, offset: '10' },
        { partition: 1, offset: '2' },
      ],
    });
    const ledger = new Ledger();
    ledger.positions.set(`${topic}/0`, 4n);
    ledger.positions.set(`${topic}/1`, 7n);
    const consumer = run({
      topics: [topic],
      groupId,
      positions: ledger.positionOf,
      handleBatch: ledger.handle,
    });
    await until(() => ledger.at(topic, 0) === 10n && ledger.at(topic, 1) === 10n);
    await consumer.stop();
    expect(ledger.seen(topic, 0)).toEqual(numbered('a', 10).slice(4));
    expect(ledger.seen(topic, 1)).toEqual(numbered('b', 10).slice(7));
  });

  test('committed offsets follow, so that tools show the lag', async () => {
    const topic = await lab.topic();
    const groupId = lab.name('group');
    const ledger = new Ledger();
    const lags: number[] = [];
    await lab.send(topic, 0, numbered('a', 12));
    const consumer = run({
      topics: [topic],
      groupId,
      positions: ledger.positionOf,
      handleBatch: ledger.handle,
      events: { lag: (_at, records) => lags.push(records) },
    });
    await until(() => ledger.at(topic, 0) === 12n);
    await consumer.stop();
    const [committed] = await lab.admin.fetchOffsets({ groupId, topics: [topic] });
    expect(committed?.partitions[0]?.offset).toBe('12');
    expect(lags.at(-1)).toBe(0);
  });

  test('a stale position is forgotten and asked for again', async () => {
    const topic = await lab.topic();
    const ledger = new Ledger();
    const repositioned: string[] = [];
    await lab.send(topic, 0, numbered('a', 10));
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: async (records, context) => {
        // Another owner gets in first, once.
        if (ledger.at(topic, 0) === 0n) ledger.positions.set(`${topic}/0`, 6n);
        ledger.take(records, context);
      },
      events: { repositioned: (_at, reason) => repositioned.push(reason) },
    });
    await until(() => ledger.at(topic, 0) === 10n);
    await consumer.stop();
    expect(ledger.seen(topic)).toEqual(numbered('a', 10).slice(6));
    expect(repositioned).toEqual(['stale']);
  });

  test('a position behind the end of the log halts the partition: records would be skipped', async () => {
    const topic = await lab.topic();
    await lab.send(topic, 0, numbered('a', 3));
    const ledger = new Ledger();
    ledger.positions.set(`${topic}/0`, 500n);
    const consumer = run({ topics: [topic], positions: ledger.positionOf, handleBatch: ledger.handle });
    await until(() => consumer.fatal.length > 0);
    await consumer.stop();
    expect(consumer.fatal).toMatchObject([
      { error: { code: KAFKA_ERRORS.positionBeyondEnd }, at: { topic } },
    ]);
    expect(ledger.seen(topic)).toEqual([]);
  });

  test('a log that grows past such a position is not read on from there, but from where somebody puts it', async () => {
    const topic = await lab.topic();
    await lab.send(topic, 0, numbered('a', 3));
    const ledger = new Ledger();
    ledger.positions.set(`${topic}/0`, 5n);
    let asked = 0;
    const positioned: PartitionId[] = [];
    const consumer = run({
      topics: [topic],
      positions: (partitions) => {
        asked += 1;
        return ledger.positionOf(partitions);
      },
      handleBatch: ledger.handle,
      events: { positioned: (at) => positioned.push(at) },
      tuning: { outsideLookMs: 20 },
    });
    await until(() => consumer.fatal.length > 0);
    await lab.send(topic, 0, numbered('b', 5));
    const before = asked;
    await until(() => asked > before + 3 || positioned.length > 0);
    expect([ledger.seen(topic), positioned]).toEqual([[], []]);
    ledger.positions.set(`${topic}/0`, 0n);
    await until(() => ledger.at(topic, 0) === 8n);
    await consumer.stop();
    expect(ledger.seen(topic)).toEqual([...numbered('a', 3), ...numbered('b', 5)]);
    expect(positioned).toEqual([{ topic, partition: 0 }]);
    expect(consumer.fatal).toHaveLength(1);
  });

  test('removed records halt a partition that had been read, not one that never was', async () => {
    const topic = await lab.topic(2);
    for (const partition of [0, 1]) await lab.send(topic, partition, numbered('a', 10));
    // Without it the client does not know the topic's leaders, and does not ask.
    await lab.admin.fetchTopicOffsets(topic);
    await lab.admin.deleteTopicRecords({
      topic,
      partitions: [0, 1].map((partition) => ({ partition, offset: '5' })),
    });
    const ledger = new Ledger();
    ledger.positions.set(`${topic}/1`, 3n);
    const consumer = run({ topics: [topic], positions: ledger.positionOf, handleBatch: ledger.handle });
    await until(() => consumer.fatal.length > 0 && ledger.at(topic, 0) === 10n);
    await consumer.stop();
    expect(consumer.fatal).toMatchObject([
      { error: { code: KAFKA_ERRORS.recordsRemoved }, at: { topic, partition: 1 } },
    ]);
    expect(ledger.seen(topic, 0)).toEqual(numbered('a', 10).slice(5));
  });
});

describe('members of one group', () => {
  test('a joining and a leaving member neither skip nor repeat a record', async () => {
    const topic = await lab.topic(6);
    const groupId = lab.name('group');
    const ledger = new Ledger();
    const partitions = [0, 1, 2, 3, 4, 5];
    const send = (round: number) =>
      Promise.all(partitions.map((partition) => lab.send(topic, partition, numbered(`${round}-`, 40))));
    const member = () =>
      run({
        topics: [topic],
        groupId,
        positions: ledger.positionOf,
        handleBatch: ledger.handle,
        tuning: { maxRecords: 7, heartbeatMs: 200 },
      });
    const reached = (offset: bigint) => until(() => partitions.every((p) => ledger.at(topic, p) === offset));

    await send(0);
    const first = member();
    await until(() => ledger.slices.length > 3);
    const second = member();
    await send(1);
    await reached(80n);
    await send(2);
    await reached(120n);
    await first.stop();
    await send(3);
    await reached(160n);
    await second.stop();
    for (const partition of partitions) {
      expect(ledger.seen(topic, partition)).toEqual(
        [0, 1, 2, 3].flatMap((round) => numbered(`${round}-`, 40)),
      );
    }
  });

  test('assignments and revocations are told', async () => {
    const topic = await lab.topic(2);
    const groupId = lab.name('group');
    const told: string[] = [];
    const ledger = new Ledger();
    const member = (name: string) =>
      run({
        topics: [topic],
        groupId,
        positions: ledger.positionOf,
        handleBatch: ledger.handle,
        tuning: { heartbeatMs: 200 },
        events: {
          assigned: (partitions) => told.push(`${name}+${partitions.length}`),
          revoked: (partitions) => told.push(`${name}-${partitions.length}`),
        },
      });
    const first = member('a');
    await until(() => told.includes('a+2'));
    const second = member('b');
    await until(() => told.includes('a-1') && told.includes('b+1'));
    await second.stop();
    await until(() => told.includes('a+1'));
    await first.stop();
    expect(told.filter((line) => line.startsWith('a'))).toEqual(['a+2', 'a-1', 'a+1', 'a-2']);
  });

  test("offsets of the group's own: handled ones are not handled again by the next member", async () => {
    const topic = await lab.topic();
    const groupId = lab.name('group');
    const handled: string[] = [];
    const handleBatch: HandleBatch = async (records) => {
      handled.push(...records.map((record) => String(record.value)));
    };
    await lab.send(topic, 0, numbered('a', 5));
    const first = run({ topics: [topic], groupId, positions: 'group', handleBatch });
    await until(() => handled.length === 5);
    await first.stop();
    await lab.send(topic, 0, ['b']);
    const second = run({ topics: [topic], groupId, positions: 'group', handleBatch });
    await until(() => handled.length > 5);
    await second.stop();
    expect(handled).toEqual([...numbered('a', 5), 'b']);
  });
});

describe('a failing handler', () => {
  test('is tried again while other partitions go on, ever louder, and the group keeps its member', async () => {
    const topic = await lab.topic(2);
    const { log, lines } = keepLog();
    const ledger = new Ledger();
    const assigned: number[] = [];
    let failures = 0;
    await lab.send(topic, 0, numbered('a', 3));
    await lab.send(topic, 1, numbered('b', 3));
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: async (records, context) => {
        if (context.partition === 0 && ledger.at(topic, 1) < 6n) {
          failures += 1;
          throw outage();
        }
        ledger.take(records, context);
      },
      log,
      events: { assigned: (partitions) => assigned.push(partitions.length) },
    });
    await until(() => failures >= 6);
    await lab.send(topic, 1, numbered('c', 3));
    await until(() => ledger.at(topic, 0) === 3n && ledger.at(topic, 1) === 6n);
    await consumer.stop();
    expect(ledger.seen(topic, 0)).toEqual(numbered('a', 3));
    expect(ledger.seen(topic, 1)).toEqual([...numbered('b', 3), ...numbered('c', 3)]);
    expect(assigned).toEqual([2]);
    const levels = lines.filter((line) => line.msg.includes('the store is away')).map((line) => line.level);
    expect(levels.slice(0, 6)).toEqual(['info', 'warn', 'warn', 'warn', 'error', 'error']);
  });

  test('for good is reported once and halts its partition alone', async () => {
    const topic = await lab.topic(2);
    const ledger = new Ledger();
    await lab.send(topic, 0, ['bad']);
    await lab.send(topic, 1, ['good']);
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: async (records, context) => {
        if (context.partition === 0) throw new TypeError('a bug');
        ledger.take(records, context);
      },
    });
    await until(() => consumer.fatal.length > 0 && ledger.at(topic, 1) === 1n);
    await lab.send(topic, 0, ['later']);
    await lab.send(topic, 1, ['more']);
    await until(() => ledger.at(topic, 1) === 2n);
    await consumer.stop();
    expect(consumer.fatal).toMatchObject([{ error: { message: 'a bug' }, at: { topic, partition: 0 } }]);
    expect(ledger.seen(topic, 0)).toEqual([]);
  });

  test('that takes longer than the session does not lose its membership', async () => {
    const topic = await lab.topic();
    const ledger = new Ledger();
    const assigned: number[] = [];
    await lab.send(topic, 0, numbered('a', 2));
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: async (records, context) => {
        await systemClock.sleep(9_000);
        ledger.take(records, context);
      },
      // The broker's least.
      tuning: { sessionTimeoutMs: 6_000, heartbeatMs: 1_000 },
      events: { assigned: (partitions) => assigned.push(partitions.length) },
    });
    await until(() => ledger.at(topic, 0) === 2n);
    await consumer.stop();
    expect(assigned).toEqual([1]);
  });

  test('that never ends does not keep the consumer from stopping', async () => {
    const topic = await lab.topic();
    let began = false;
    await lab.send(topic, 0, ['a']);
    const consumer = run({
      topics: [topic],
      positions: new Ledger().positionOf,
      handleBatch: () => {
        began = true;
        return new Promise(() => undefined);
      },
      tuning: { stopMs: 300 },
    });
    await until(() => began);
    await consumer.stop();
    expect(consumer.fatal).toEqual([]);
  });
});

/** A client whose first consumer's `run` is tampered with; later ones are as they come. */
function faultyOnce(tamper: (consumer: Consumer, config: ConsumerRunConfig) => Promise<void>) {
  let first = true;
  return (...args: Parameters<typeof createKafka>): Kafka => {
    const kafka = createKafka(...args);
    const create = kafka.consumer.bind(kafka);
    kafka.consumer = (config) => {
      const consumer = create(config);
      if (!first) return consumer;
      first = false;
      const start = consumer.run.bind(consumer);
      return Object.assign(consumer, {
        run: (runConfig: ConsumerRunConfig) => tamper({ ...consumer, run: start }, runConfig),
      });
    };
    return kafka;
  };
}

describe('a consumer that fails', () => {
  test('silently, its heart still beating, is noticed by the lag and replaced', async () => {
    const topic = await lab.topic();
    const ledger = new Ledger();
    const restarts: string[] = [];
    await lab.send(topic, 0, numbered('a', 4));
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: ledger.handle,
      events: { restarting: (reason) => restarts.push(reason) },
      tuning: { watchMs: 200, stallMs: 1_000 },
      // Fetches, beats, and hands over nothing.
      createClient: faultyOnce((consumer, config) =>
        consumer.run({ ...config, eachBatch: async () => undefined }),
      ),
    });
    await until(() => ledger.at(topic, 0) === 4n);
    await consumer.stop();
    expect(restarts).toEqual(['stalled']);
    expect(ledger.seen(topic)).toEqual(numbered('a', 4));
  });

  test('with a crash is replaced, for kafkajs does not restart itself', async () => {
    const topic = await lab.topic();
    const ledger = new Ledger();
    const restarts: string[] = [];
    await lab.send(topic, 0, numbered('a', 4));
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: ledger.handle,
      events: { restarting: (reason) => restarts.push(reason) },
      createClient: faultyOnce((consumer, config) =>
        consumer.run({
          ...config,
          eachBatch: () => Promise.reject(new KafkaJSNonRetriableError('planted')),
        }),
      ),
    });
    await until(() => ledger.at(topic, 0) === 4n);
    await consumer.stop();
    expect(restarts).toEqual(['crashed']);
  });

  test('to start is replaced until it starts', async () => {
    const topic = lab.name('topic');
    const ledger = new Ledger();
    const restarts: string[] = [];
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: ledger.handle,
      events: { restarting: (reason) => restarts.push(reason) },
    });
    await until(() => restarts.length > 0);
    await lab.admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
    await lab.send(topic, 0, ['a']);
    await until(() => ledger.at(topic, 0) === 1n);
    await consumer.stop();
    expect(restarts).toContain('failed to start');
  });

  test('a lag that is the handler’s own waiting is no stall', async () => {
    const topic = await lab.topic();
    const ledger = new Ledger();
    const restarts: string[] = [];
    let failures = 0;
    await lab.send(topic, 0, numbered('a', 4));
    const consumer = run({
      topics: [topic],
      positions: ledger.positionOf,
      handleBatch: async (records, context) => {
        failures += 1;
        if (failures < 12) throw outage();
        ledger.take(records, context);
      },
      events: { restarting: (reason) => restarts.push(reason) },
      tuning: { watchMs: 50, stallMs: 1_000 },
    });
    await until(() => ledger.at(topic, 0) === 4n);
    await consumer.stop();
    expect(restarts).toEqual([]);
  });
});
