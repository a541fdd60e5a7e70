/** Every implementation of the bulk reader's port that this machine has. */
import { KafkaJsBulkReader } from '../../src/kafka/bulk-reader-kafkajs.ts';
import { RdkafkaBulkReader } from '../../src/kafka/bulk-reader-rdkafka.ts';
import type { BulkReader } from '../../src/kafka/bulk-reader.ts';
import type { KafkaConnection } from '../../src/kafka/client.ts';
import { loadRdkafka } from '../../src/kafka/rdkafka.ts';
import { rdkafkaAccessOf } from '../../src/kafka/rdkafka-access.ts';
import { silent } from './kafka-lab.ts';

export interface ReaderSettings {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  readonly chunkBytes?: number;
  readonly stallMs?: number;
}

type MakeReader = (settings: ReaderSettings) => BulkReader;

const TUNING = { log: silent, chunkBytes: 20_000, partitionsAtOnce: 2 };

/** Where node-rdkafka is not built its half does not run, which `npm test` says. */
export const BULK_READERS: Readonly<Record<string, MakeReader>> = {
  kafkajs: (settings) => new KafkaJsBulkReader({ ...TUNING, ...settings }),
  ...rdkafka(),
};

function rdkafka(): Record<string, MakeReader> {
  const { rdkafka } = loadRdkafka();
  if (rdkafka === null) return {};
  return {
    rdkafka: (settings) => {
      const access = rdkafkaAccessOf(settings.connection);
      if (access.why !== null) throw new Error(access.why);
      return new RdkafkaBulkReader({ ...TUNING, ...settings, rdkafka, access });
    },
  };
}
