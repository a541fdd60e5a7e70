/** What a resnapshot writes to the change topics: ends of rows that the source no longer has, with the connector's keys. */
import { CompressionTypes } from 'kafkajs';
import type { Message } from 'kafkajs';

import type { SourceRow } from '../domain/cdc.ts';
import { SWEEP_HEADER } from '../domain/resnapshot.ts';
import type { Disturbed, SweepTopics } from '../domain/resnapshot.ts';
import { changeTopic } from '../domain/topics.ts';
import type { CapturedTableName } from '../domain/topics.ts';
import { createKeyEncoder } from './avro.ts';
import type { RegistryAddress } from './avro.ts';
import { chunksBySize } from './chunks.ts';
import { partitionOfKey } from './partitioning.ts';
import { ALL_REPLICAS, ReplaceableProducer } from './replaceable-producer.ts';
import type { ProducerOptions } from './replaceable-producer.ts';

const REQUEST_BYTES = 700_000;

export interface SweepTopicsOptions extends Omit<ProducerOptions, 'topic'> {
  readonly registry: RegistryAddress;
  /** The connector's topic.prefix. */
  readonly prefix: string;
}

export class KafkaSweepTopics implements SweepTopics {
  readonly #options: SweepTopicsOptions;
  readonly #producers = new Map<string, ReplaceableProducer>();

  constructor(options: SweepTopicsOptions) {
    this.#options = options;
  }

  /** Asked anew each time: while the connector runs, a table's key may get another schema. */
  keyEncoder(table: CapturedTableName): Promise<(key: SourceRow) => Buffer> {
    const { registry, prefix } = this.#options;
    return createKeyEncoder(registry, `${changeTopic(prefix, table)}-key`);
  }

  partitionOf(key: Buffer, partitions: number): number {
    return partitionOfKey(key, partitions);
  }

  async bury(run: string, table: CapturedTableName, keys: readonly Buffer[]): Promise<void> {
    const headers = { [SWEEP_HEADER]: run };
    const tombstones = keys.map((key) => ({ key, value: null, headers }));
    await this.#send(changeTopic(this.#options.prefix, table), tombstones);
  }

  async repeat(run: string, records: readonly Disturbed[]): Promise<void> {
    const byTopic = Map.groupBy(records, ({ topic }) => topic);
    for (const [topic, group] of byTopic) {
      const messages = group.map(({ key, value, offset }) => ({
        key,
        value,
        headers: { [SWEEP_HEADER]: `${run} ${offset}` },
      }));
      await this.#send(topic, messages);
    }
  }

  async close(): Promise<void> {
    const producers = [...this.#producers.values()];
    this.#producers.clear();
    await Promise.all(producers.map((producer) => producer.close()));
  }

  async #send(topic: string, messages: readonly Message[]): Promise<void> {
    const producer = this.#producers.get(topic) ?? new ReplaceableProducer({ ...this.#options, topic });
    this.#producers.set(topic, producer);
    for (const chunk of chunksBySize(messages, REQUEST_BYTES)) {
      await producer.send([...chunk], ALL_REPLICAS, CompressionTypes.LZ4);
    }
  }
}
