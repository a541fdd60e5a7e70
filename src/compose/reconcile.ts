/** Joins the topic, the table and the contract: what bringing them together again works with. */
import { createHash, randomUUID } from 'node:crypto';
import { avroBody, createAvroDecoder, createAvroEncoder } from '../kafka/avro.ts';
import type { AvroDecoder } from '../kafka/avro.ts';
import { decodeOwn } from '../kafka/decode-own.ts';
import type { Config } from '../config/load.ts';
import type { SourceRecord } from '../domain/cdc.ts';
import type { PublishedRow } from '../domain/ports.ts';
import { dailyStateTopic } from '../domain/topics.ts';
import { readTopic } from '../kafka/topic-reader.ts';
import type { DailyState, DailyStateKey } from '../publish/contract-types.ts';
import { contractSubjects, toAvro } from '../publish/contract.ts';
import { TopicImage } from '../reconcile/image.ts';
import type { RowDigest } from '../reconcile/image.ts';
import type { Logger } from '../runtime/logger.ts';
import { registryOf } from '../wiring-access.ts';
import { kafkaConnectionOf } from '../wiring.ts';

export interface TopicOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Only about so many records at each partition's end; null: all. */
  readonly tail: number | null;
  readonly onRecords?: (count: number) => void;
}

/** Reads the daily-state topic; what cannot be decoded there is nobody's row and ends the reading. */
export async function readImage({ config, log, tail, onRecords }: TopicOptions): Promise<TopicImage> {
  const image = new TopicImage();
  const decoder = createAvroDecoder(registryOf(config));
  const { namespace } = config.topics;
  await readTopic({
    connection: kafkaConnectionOf(config),
    log,
    topic: dailyStateTopic(namespace),
    groupId: `${namespace}-reader-${randomUUID()}`,
    tail,
    onRecords: async (records) => {
      for (const record of records) await see(image, decoder, record);
      onRecords?.(records.length);
    },
  });
  return image;
}

async function see(
  image: TopicImage,
  decoder: AvroDecoder,
  { topic, key, value }: SourceRecord,
): Promise<void> {
  if (key === null) return;
  const { assignment_id: assignmentId, date } = await decodeOwn<DailyStateKey>(decoder, topic, key);
  if (value === null) return image.see(assignmentId, date, null);
  const { revision, id } = await decodeOwn<DailyState>(decoder, topic, value);
  image.see(assignmentId, date, { digest: digestOf(value), revision, id });
}

/** The digest of a row as it would be published now. Throws ConfigurationError where the registry refuses the contract. */
export async function rowDigest(config: Config): Promise<(row: PublishedRow) => RowDigest> {
  const { value } = contractSubjects(dailyStateTopic(config.topics.namespace));
  const encoder = await createAvroEncoder(registryOf(config), value.subject, value.schema);
  return (row) =>
    digestOf(encoder.encode(toAvro({ assignmentId: row.assignmentId, day: row.date, row }).value));
}

/** Of the body: ids of schemas change with the registry, the row does not. */
function digestOf(value: Buffer): RowDigest {
  return createHash('sha256').update(avroBody(value)).digest('base64').slice(0, 22);
}
