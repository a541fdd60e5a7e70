import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { REJECTIONS } from '../../src/domain/cdc.ts';
import type { DeadLetter } from '../../src/domain/ports.ts';
import { KAFKA_ERRORS } from '../../src/kafka/errors.ts';
import { partitionOfAssignment } from '../../src/kafka/partitioning.ts';
import {
  DEAD_LETTER_HEADERS,
  KafkaDeadLetterTopic,
  KafkaRecomputeRequests,
  requestedAssignment,
} from '../../src/kafka/producers.ts';
import { KafkaLab, silent } from '../support/kafka-lab.ts';
import { endpointsOf } from '../support/stack-provider.ts';

let lab: KafkaLab;
beforeAll(async () => {
  lab = await KafkaLab.open(endpointsOf(inject('stack')).kafkaBrokers);
});
afterAll(() => lab[Symbol.asyncDispose]());

describe('recompute requests', () => {
  test('name each assignment once, in the partition of its id', async () => {
    const topic = await lab.topic(4);
    const requests = new KafkaRecomputeRequests({
      connection: lab.connection,
      topic,
      log: silent,
      events: { lost: (_count, error) => expect.unreachable(String(error)) },
    });
    await requests.request([5, 17, 5, 900_001]);
    await requests.request([]);
    await requests.close();
    const read = await lab.readAll(topic);
    const found = new Map(read.map(({ key, ...rest }) => [requestedAssignment(Buffer.from(key)), rest]));
    expect(read).toHaveLength(3);
    for (const id of [5, 17, 900_001]) {
      expect(found.get(id)).toMatchObject({ partition: partitionOfAssignment(id, 4), value: '' });
    }
  });

  test('of a whole farm at once all arrive, and are counted together where they cannot', async () => {
    const ids = Array.from({ length: 30_001 }, (_, n) => n + 1);
    const topic = await lab.topic(4);
    const log = silent;
    const requests = new KafkaRecomputeRequests({
      connection: lab.connection,
      topic,
      log,
      events: { lost: (_, error) => expect.unreachable(String(error)) },
    });
    await requests.request(ids);
    await requests.close();
    const read = await lab.readAll(topic);
    expect(new Set(read.map(({ key }) => requestedAssignment(Buffer.from(key))))).toEqual(new Set(ids));
    const lost: number[] = [];
    const nowhere = new KafkaRecomputeRequests({
      connection: { ...lab.connection, brokers: ['127.0.0.1:1'] },
      topic,
      log,
      sendTimeoutMs: 300,
      events: { lost: (count) => lost.push(count) },
    });
    await nowhere.request(ids);
    await nowhere.close();
    expect(lost).toEqual([ids.length]);
  });

  test('that cannot be sent are counted, never thrown', async () => {
    const lost: number[] = [];
    const requests = new KafkaRecomputeRequests({
      connection: { ...lab.connection, brokers: ['127.0.0.1:1'] },
      topic: 'nowhere',
      log: silent,
      sendTimeoutMs: 300,
      events: { lost: (count) => lost.push(count) },
    });
    await requests.request([1, 2]);
    await requests.request([3]);
    await requests.close();
    expect(lost).toEqual([2, 1]);
  });

  test.each(['', '0', '-3', '1.5', '12a', '99999999999999999999'])('the key %j names none', (key) => {
    expect(requestedAssignment(Buffer.from(key))).toBeNull();
  });
});

describe('dead letters', () => {
  const letter = (value: Buffer | null, offset: bigint): DeadLetter => ({
    record: {
      topic: 'farm.public.batch_batch',
      partition: 3,
      offset,
      timestampMs: 1_700_000_000_000,
      key: Buffer.from('key'),
      value,
      headers: { __source: Buffer.from('farm'), [DEAD_LETTER_HEADERS.code]: 'forged' },
    },
    rejection: { code: REJECTIONS.undecodable, message: 'not Avro – ø' },
  });
  const deadLetters = (topic: string) =>
    new KafkaDeadLetterTopic({ connection: lab.connection, topic, log: silent, version: '1.2.3' });

  test('keep key and value, and say where they were and why', async () => {
    const topic = await lab.topic();
    const letters = deadLetters(topic);
    await letters.send([letter(Buffer.from('raw'), 9_007_199_254_740_993n), letter(null, 5n)]);
    await letters.close();
    const headers = {
      __source: 'farm',
      [DEAD_LETTER_HEADERS.code]: 'REC001',
      [DEAD_LETTER_HEADERS.message]: 'not Avro – ø',
      [DEAD_LETTER_HEADERS.topic]: 'farm.public.batch_batch',
      [DEAD_LETTER_HEADERS.partition]: '3',
      [DEAD_LETTER_HEADERS.timestamp]: '1700000000000',
      [DEAD_LETTER_HEADERS.version]: '1.2.3',
    };
    expect(await lab.readAll(topic)).toMatchObject([
      { key: 'key', value: 'raw', headers: { ...headers, [DEAD_LETTER_HEADERS.offset]: '9007199254740993' } },
      { key: 'key', value: null, headers: { ...headers, [DEAD_LETTER_HEADERS.offset]: '5' } },
    ]);
  });

  test('too large for their topic go without value, and their neighbours whole', async () => {
    const topic = await lab.topic(1, { 'max.message.bytes': '3000' });
    const letters = deadLetters(topic);
    const noise = Buffer.from(
      Array.from({ length: 5_000 }, (_, i) => Math.imul(i * i + 7, 2_654_435_761) >>> 24),
    );
    await letters.send([letter(Buffer.from('one'), 1n), letter(noise, 2n), letter(Buffer.from('three'), 3n)]);
    await letters.close();
    const read = await lab.readAll(topic);
    expect(read.map(({ value, headers }) => [value, headers[DEAD_LETTER_HEADERS.valueOmitted]])).toEqual([
      ['one', undefined],
      [null, 'true'],
      ['three', undefined],
    ]);
  });

  test('that cannot be sent are an outage', async () => {
    const letters = new KafkaDeadLetterTopic({
      connection: { ...lab.connection, brokers: ['127.0.0.1:1'] },
      topic: 'nowhere',
      log: silent,
      version: '1',
      sendTimeoutMs: 300,
    });
    await expect(letters.send([letter(null, 1n)])).rejects.toMatchObject({
      code: KAFKA_ERRORS.unavailable,
      retryable: true,
    });
    await letters.close();
  });
});
