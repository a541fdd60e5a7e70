/** Records that no connector writes, put straight into a change topic. */
import { changeTopic } from '../../src/domain/topics.ts';
import type { CapturedTableName } from '../../src/domain/topics.ts';
import { createAvroDecoder, createAvroEncoder } from '../../src/kafka/avro.ts';
import type { Pipeline } from './pipeline.ts';
import { readTopic } from './pipeline-topic.ts';

export interface RawKey {
  readonly partition: number;
  readonly bytes: Buffer;
}

/** The key of a row as the connector wrote it, and where. */
export async function rawKeyOf(pipeline: Pipeline, table: CapturedTableName, id: number): Promise<RawKey> {
  const { registry, topics } = pipeline.config;
  const decoder = createAvroDecoder(registry.url);
  for (const { partition, key } of await readTopic(pipeline.lab, changeTopic(topics.prefix, table))) {
    if (key === null) continue;
    const decoded = await decoder.decode(key);
    if (decoded.ok && (decoded.value as { id: number }).id === id) return { partition, bytes: key };
  }
  throw new Error(`${table} ${id} is not in its topic`);
}

export async function produce(
  pipeline: Pipeline,
  table: CapturedTableName,
  key: RawKey,
  value: Buffer,
): Promise<void> {
  const producer = pipeline.lab.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const messages = [{ partition: key.partition, key: key.bytes, value, headers: { writer: 'a test' } }];
  await producer.send({ topic: changeTopic(pipeline.config.topics.prefix, table), messages });
  await producer.disconnect();
}

/** The key of another row of the table, there or not. */
export function keyOfRow({ partition, bytes }: RawKey, id: number): RawKey {
  // The wire format's header, then Avro's long of an id below 8192.
  const long = Buffer.from(id < 64 ? [id * 2] : [((id * 2) & 0x7f) | 0x80, (id * 2) >> 7]);
  return { partition, bytes: Buffer.concat([bytes.subarray(0, 5), long]) };
}

/** A value that claims a schema which the registry has never seen. */
export function ofUnknownSchema(): Buffer {
  const value = Buffer.from('00000000000102', 'hex');
  value.writeInt32BE(2_000_000_000, 1);
  return value;
}

/** Good Avro of a registered schema that is no change event. */
export async function noEnvelope(pipeline: Pipeline): Promise<Buffer> {
  const encoder = await createAvroEncoder(pipeline.config.registry.url, `${pipeline.name}.alien`, {
    type: 'record',
    name: 'Alien',
    fields: [{ name: 'text', type: 'string' }],
  });
  return encoder.encode({ text: 'no change of any row' });
}
