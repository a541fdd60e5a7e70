/** Which client reads the topics in bulk. */
import type { Config } from '../config/load.ts';
import type { BulkReader } from '../kafka/bulk-reader.ts';
import { KafkaJsBulkReader } from '../kafka/bulk-reader-kafkajs.ts';
import type { Logger } from '../runtime/logger.ts';
import { kafkaConnectionOf } from '../wiring.ts';

/** Partitions whose chunks are fetched together: what one fetch holds, `replay.chunkBytes` times this, is in memory. */
const PARTITIONS_AT_ONCE = 8;

export function createBulkReader(config: Config, log: Logger): BulkReader {
  if (config.replay.reader === 'rdkafka') {
    log.warn('node-rdkafka is not installed (replay.reader is rdkafka): kafkajs reads the topics');
  }
  return new KafkaJsBulkReader({
    connection: kafkaConnectionOf(config),
    log,
    groupId: `${config.topics.namespace}-replay`,
    chunkBytes: config.replay.chunkBytes,
    partitionsAtOnce: PARTITIONS_AT_ONCE,
  });
}
