/** Every implementation of the bulk reader's port reads the same from the same logs. */
import { CompressionTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { transferables, unpackRecords } from '../../src/kafka/bulk-reader.ts';
import type { BulkReader, PackedRecords, TopicRange } from '../../src/kafka/bulk-reader.ts';
import { KAFKA_ERRORS } from '../../src/kafka/errors.ts';
import { BULK_READERS } from '../support/bulk-readers.ts';
import type { ReaderSettings } from '../support/bulk-readers.ts';
import { KafkaLab, numbered } from '../support/kafka-lab.ts';
import { endpointsOf } from '../support/stack-provider.ts';

let lab: KafkaLab;
beforeAll(async () => {
  lab = await KafkaLab.open(endpointsOf(inject('stack')).kafkaBrokers);
});
afterAll(() => lab[Symbol.asyncDispose]());

const never = new AbortController().signal;

async function rangesOf(topic: string): Promise<TopicRange[]> {
  const offsets = await lab.admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({
    topic,
    partition,
    from: BigInt(low),
    to: BigInt(high),
  }));
}

/** By partition: the values read, and the next offsets told. */
async function readAll(reader: BulkReader, ranges: readonly TopicRange[]) {
  const values = new Map<number, string[]>();
  const nexts = new Map<number, bigint[]>();
  await reader.read(
    ranges,
    async (chunk) => {
      const records = unpackRecords(chunk);
      const { partition, nextOffset } = chunk;
      values.set(partition, [...(values.get(partition) ?? []), ...records.map(({ value }) => String(value))]);
      nexts.set(partition, [...(nexts.get(partition) ?? []), nextOffset]);
    },
    never,
  );
  return { values, nexts };
}

describe.each(Object.entries(BULK_READERS))('%s', (_name, make) => {
  const readerWith = (over: Partial<ReaderSettings> = {}): BulkReader =>
    make({ connection: lab.connection, groupId: lab.name('bulk'), ...over });

  test('reads each partition in order, in bounded chunks, without what is beyond its end', async () => {
    const topic = await lab.topic(3);
    const first = numbered('a', 3_000);
    for (let at = 0; at < 3_000; at += 500) await lab.send(topic, 0, first.slice(at, at + 500));
    await lab.send(topic, 1, numbered('b', 700), CompressionTypes.LZ4);
    const ranges = await rangesOf(topic);
    await lab.send(topic, 0, numbered('later', 50));
    const { values, nexts } = await readAll(readerWith(), ranges);
    expect(values.get(0)).toEqual(first);
    expect(values.get(1)).toEqual(numbered('b', 700));
    // Of an empty partition nothing is told.
    expect(nexts.has(2)).toBe(false);
    expect(nexts.get(0)!.length).toBeGreaterThan(1);
    expect(nexts.get(0)).toEqual([...nexts.get(0)!].sort((a, b) => Number(a - b)));
    expect(nexts.get(0)!.at(-1)).toBe(3_000n);
  });

  test('goes on from the middle of a log', async () => {
    const topic = await lab.topic();
    for (let i = 0; i < 4; i += 1) await lab.send(topic, 0, numbered(`${i}-`, 100));
    const { values } = await readAll(readerWith(), [{ topic, partition: 0, from: 150n, to: 320n }]);
    expect(values.get(0)).toEqual([
      ...numbered('1-', 100).slice(50),
      ...numbered('2-', 100),
      ...numbered('3-', 20),
    ]);
  });

  test('reads what is committed, and comes to an end that is a marker', async () => {
    const topic = await lab.topic();
    await lab.transact(topic, 0, ['one', 'two'], 'commit');
    await lab.transact(topic, 0, ['never'], 'abort');
    const { values, nexts } = await readAll(readerWith(), await rangesOf(topic));
    expect(values.get(0)).toEqual(['one', 'two']);
    expect(nexts.get(0)!.at(-1)).toBe(5n);
  });

  test('hands over tombstones, times and headers', async () => {
    const topic = await lab.topic();
    const producer = lab.kafka.producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: [
        { key: 'k', value: 'v', timestamp: '1700000000123', headers: { writer: 'a test' } },
        { key: 'k', value: null },
        { key: null, value: '' },
      ],
    });
    await producer.disconnect();
    const chunks: PackedRecords[] = [];
    // As between two threads.
    const clone = async (chunk: PackedRecords) =>
      void chunks.push(structuredClone(chunk, { transfer: transferables(chunk) }));
    await readerWith().read(await rangesOf(topic), clone, never);
    const [first, second, third] = chunks.flatMap(unpackRecords);
    expect(first).toEqual({
      topic,
      partition: 0,
      offset: 0n,
      timestampMs: 1_700_000_000_123,
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: { writer: Buffer.from('a test') },
    });
    expect(second).toMatchObject({ offset: 1n, value: null });
    expect(third).toMatchObject({ key: null, value: Buffer.alloc(0) });
  });

  test('waits for whoever takes the chunks, and ends with what they throw', async () => {
    const topic = await lab.topic(6);
    for (let partition = 0; partition < 6; partition += 1)
      await lab.send(topic, partition, numbered('x', 300));
    const alone = await lab.topic();
    for (let i = 0; i < 4; i += 1) await lab.send(alone, 0, numbered('x', 300));
    let [inHand, most, seen] = [0, 0, 0];
    const take = async (): Promise<void> => {
      inHand += 1;
      most = Math.max(most, inHand);
      // Long enough for a reader that does not wait to come with all the others.
      for (let turn = 0; turn < 2_000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      inHand -= 1;
      seen += 1;
    };
    await readerWith({ chunkBytes: 2_000 }).read(await rangesOf(alone), take, never);
    expect([seen > 1, most]).toEqual([true, 1]);
    seen = 0;
    const failing = readerWith({ chunkBytes: 2_000 }).read(
      await rangesOf(topic),
      async () => {
        await take();
        if (seen === 6) throw new RangeError('the store is full');
      },
      never,
    );
    await expect(failing).rejects.toThrow(new RangeError('the store is full'));
    expect(most).toBeLessThanOrEqual(2);
  });

  test('ends when it is told to, and when the broker is not there', async () => {
    const topic = await lab.topic();
    await lab.send(topic, 0, numbered('x', 10));
    const abort = new AbortController();
    const reading = readerWith().read(
      await rangesOf(topic),
      async () => abort.abort(new Error('enough')),
      abort.signal,
    );
    await expect(reading).rejects.toThrow('enough');
    const nowhere = readerWith({
      connection: { ...lab.connection, brokers: ['127.0.0.1:1'] },
      stallMs: 1_000,
    });
    await expect(
      nowhere.read([{ topic, partition: 0, from: 0n, to: 10n }], async () => undefined, never),
    ).rejects.toMatchObject({ code: KAFKA_ERRORS.unavailable, retryable: true });
  });
});
