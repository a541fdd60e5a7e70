/** Which client reads the topics in bulk. */
import type { Config } from '../config/load.ts';
import type { BulkReader } from '../kafka/bulk-reader.ts';
import { createBulkReader } from '../kafka/bulk-reader-choice.ts';
import type { Logger } from '../runtime/logger.ts';
import { kafkaConnectionOf } from '../wiring.ts';

/** Partitions whose chunks are fetched together: what one fetch holds, `replay.chunkBytes` times this, is in memory. */
const PARTITIONS_AT_ONCE = 8;

export function bulkReaderOf(config: Config, log: Logger): BulkReader {
  return createBulkReader(config.replay.reader, {
    connection: kafkaConnectionOf(config),
    log,
    groupId: `${config.topics.namespace}-replay`,
    chunkBytes: config.replay.chunkBytes,
    partitionsAtOnce: PARTITIONS_AT_ONCE,
  });
}
