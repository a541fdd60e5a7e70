/** Which client reads topics in bulk. */
import type { Logger } from '../runtime/logger.ts';
import type { BulkReader, BulkReaderTuning } from './bulk-reader.ts';
import { KafkaJsBulkReader } from './bulk-reader-kafkajs.ts';
import { RdkafkaBulkReader } from './bulk-reader-rdkafka.ts';
import type { KafkaConnection } from './client.ts';
import { loadRdkafka } from './rdkafka.ts';
import type { RdkafkaLoaded } from './rdkafka.ts';
import { rdkafkaAccessOf } from './rdkafka-access.ts';

export type BulkReaderClient = 'auto' | 'kafkajs' | 'rdkafka';

export interface BulkReaderOptions extends BulkReaderTuning {
  readonly connection: KafkaConnection;
  readonly log: Logger;
  /** First part of a group's name. */
  readonly groupId: string;
}

/** kafkajs reads where node-rdkafka is asked for and cannot, and the log says why. */
export function createBulkReader(
  client: BulkReaderClient,
  options: BulkReaderOptions,
  load: () => RdkafkaLoaded = loadRdkafka,
): BulkReader {
  if (client !== 'rdkafka') return new KafkaJsBulkReader(options);
  const { rdkafka, why } = load();
  const access = rdkafkaAccessOf(options.connection);
  if (rdkafka !== null && access.why === null) {
    return new RdkafkaBulkReader({ ...options, rdkafka, access });
  }
  options.log.warn(`${why ?? access.why}: kafkajs reads the topics`);
  return new KafkaJsBulkReader(options);
}
