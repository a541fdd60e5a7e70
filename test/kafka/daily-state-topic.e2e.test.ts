import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { FencedError } from '../../src/domain/errors.ts';
import type { PublicationBatch } from '../../src/domain/ports.ts';
import { KafkaDailyStateTopic } from '../../src/kafka/daily-state-topic.ts';
import { KAFKA_ERRORS, isFenced } from '../../src/kafka/errors.ts';
import { partitionOfAssignment } from '../../src/kafka/partitioning.ts';
import { KafkaLab, silent, until } from '../support/kafka-lab.ts';
import { endpointsOf } from '../support/stack-provider.ts';

const brokers = endpointsOf(inject('stack')).kafkaBrokers;
let lab: KafkaLab;
beforeAll(async () => {
  lab = await KafkaLab.open(brokers);
});
afterAll(() => lab[Symbol.asyncDispose]());

function publisher(topic: string, transactionalId: string, who: string, maxRequestBytes?: number) {
  return new KafkaDailyStateTopic({
    connection: lab.connection,
    topic,
    transactionalId,
    encode: ({ assignmentId, day }) => ({
      key: Buffer.from(`${assignmentId}:${day}`),
      value: Buffer.from(who),
    }),
    log: silent,
    ...(maxRequestBytes === undefined ? {} : { maxRequestBytes }),
  });
}

function rows(assignmentId: number, count: number): PublicationBatch {
  const messages = Array.from({ length: count }, (_, day) => ({ assignmentId, day, row: null }));
  return { assignmentId, sequences: [], messages, committedMs: null, decodedMs: null };
}

const valuesOf = async (topic: string, isolation?: 'committed' | 'uncommitted') =>
  (await lab.readAll(topic, isolation)).map(({ value }) => value);

describe('publishing', () => {
  test('brings every row of an assignment into its partition, in order, over several requests', async () => {
    const topic = await lab.topic(5);
    const elder = publisher(topic, lab.name('shard'), 'a', 4_000);
    await elder.open();
    await elder.publish([rows(7, 900), rows(1_234, 3)]);
    await elder.publish([rows(7, 2)]);
    await elder.close();
    const read = await lab.readAll(topic);
    const of = (assignment: number) => read.filter(({ key }) => key.startsWith(`${assignment}:`));
    expect(of(7).map(({ key }) => key)).toEqual([
      ...rows(7, 900).messages.map(({ day }) => `7:${day}`),
      '7:0',
      '7:1',
    ]);
    expect(new Set(of(7).map(({ partition }) => partition))).toEqual(new Set([partitionOfAssignment(7, 5)]));
    expect(of(1_234).map(({ partition }) => partition)).toEqual(
      [0, 1, 2].map(() => partitionOfAssignment(1_234, 5)),
    );
  });

  test('nothing is no transaction, and comes after open only', async () => {
    const topic = await lab.topic();
    const shard = publisher(topic, lab.name('shard'), 'a');
    await expect(shard.publish([rows(1, 1)])).rejects.toMatchObject({ code: KAFKA_ERRORS.notOpen });
    await shard.open();
    await shard.publish([rows(1, 0)]);
    await shard.close();
    expect(await valuesOf(topic, 'uncommitted')).toEqual([]);
  });

  test('that fails half-way is seen by no read-committed consumer, and can be repeated after open', async () => {
    const topic = await lab.topic(1, { 'max.message.bytes': '2000' });
    // Ten rows fit a request; a single row that is too large for the topic follows them.
    const huge = new KafkaDailyStateTopic({
      connection: lab.connection,
      topic,
      transactionalId: lab.name('shard'),
      encode: ({ day }) => ({
        key: Buffer.from(String(day)),
        value: day < 10 ? Buffer.from('half') : incompressible(5_000),
      }),
      log: silent,
      maxRequestBytes: 1_500,
    });
    await huge.open();
    await expect(huge.publish([rows(1, 11)])).rejects.toMatchObject({ code: KAFKA_ERRORS.unavailable });
    await expect(huge.publish([rows(1, 5)])).rejects.toMatchObject({ code: KAFKA_ERRORS.notOpen });
    await huge.open();
    await huge.publish([rows(1, 2)]);
    await huge.close();
    expect(await valuesOf(topic, 'uncommitted')).toHaveLength(12);
    expect(await valuesOf(topic)).toEqual(['half', 'half']);
  });
});

describe('fencing', () => {
  test('a successor that has only opened stops the elder', async () => {
    const topic = await lab.topic();
    const shard = lab.name('shard');
    const [elder, successor] = [publisher(topic, shard, 'elder'), publisher(topic, shard, 'successor')];
    await elder.open();
    await elder.publish([rows(1, 1)]);
    await successor.open();
    await expect(elder.publish([rows(1, 900)])).rejects.toBeInstanceOf(FencedError);
    await successor.publish([rows(1, 1)]);
    await Promise.all([elder.close(), successor.close()]);
    expect(await valuesOf(topic)).toEqual(['elder', 'successor']);
  });

  test('a transaction left open is aborted by the successor’s open, and cannot be committed any more', async () => {
    const topic = await lab.topic();
    const shard = lab.name('shard');
    const dying = lab.kafka.producer({ transactionalId: shard, maxInFlightRequests: 1 });
    await dying.connect();
    const left = await dying.transaction();
    await left.send({ topic, messages: [{ key: 'k', value: 'left open' }] });
    const successor = publisher(topic, shard, 'successor');
    await successor.open();
    const late = await left.commit().then(
      () => null,
      (error: unknown) => error,
    );
    expect(isFenced(late)).toBe(true);
    await successor.publish([rows(1, 1)]);
    await Promise.all([dying.disconnect(), successor.close()]);
    expect(await valuesOf(topic, 'uncommitted')).toEqual(['left open', 'successor']);
    expect(await valuesOf(topic)).toEqual(['successor']);
  });

  test('a process that was frozen wakes up fenced: nothing of it lands after its successor’s', async () => {
    const topic = await lab.topic();
    const shard = lab.name('shard');
    const script = join(import.meta.dirname, '..', 'support', 'elder-publisher.ts');
    const elder = spawn(process.execPath, [script, brokers[0] ?? '', topic, shard], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => elder.once('exit', resolve));
    let output = '';
    elder.stdout.on('data', (chunk) => (output += String(chunk)));
    await until(() => output.split('published').length > 20);
    elder.kill('SIGSTOP');
    const successor = publisher(topic, shard, 'successor');
    await successor.open();
    await successor.publish([rows(1, 1)]);
    elder.kill('SIGCONT');
    await ended;
    await successor.close();
    expect(output.trim().split('\n').at(-1)).toBe('fenced');
    const values = await valuesOf(topic);
    expect(values.filter((value) => value === 'successor')).toHaveLength(1);
    expect(values.at(-1)).toBe('successor');
  });
});

/** Bytes that compression does not shrink, the same in every run. */
function incompressible(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}
