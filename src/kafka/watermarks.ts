import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';

import type { PartitionId } from '../domain/ports.ts';
import type { LogBounds, TopicLogs } from '../domain/resnapshot.ts';

/** The log's bounds: first offset kept, and the next offset to be written (read-committed). */
export interface Watermarks {
  readonly low: bigint;
  readonly high: bigint;
}

export type WatermarkReader = (at: PartitionId) => Watermarks | undefined;

/** Reads the bounds of partitions' logs; a client that failed is replaced. */
export class WatermarkSource implements TopicLogs {
  readonly #createAdmin: () => Admin;
  #admin: Promise<Admin> | null = null;

  constructor(createAdmin: () => Admin) {
    this.#createAdmin = createAdmin;
  }

  async read(topics: Iterable<string>): Promise<WatermarkReader> {
    const found = new Map<string, Watermarks>();
    await this.#with(async (admin) => {
      await Promise.all(
        [...new Set(topics)].map(async (topic) => {
          for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
            found.set(`${topic}/${partition}`, { low: BigInt(low), high: BigInt(high) });
          }
        }),
      );
    });
    return (at) => found.get(`${at.topic}/${at.partition}`);
  }

  /** The same as a list of all their partitions. */
  async bounds(topics: readonly string[]): Promise<readonly LogBounds[]> {
    const found: LogBounds[] = [];
    await this.#with(async (admin) => {
      for (const offsets of await Promise.all(
        topics.map(async (topic) => ({ topic, offsets: await admin.fetchTopicOffsets(topic) })),
      )) {
        for (const { partition, low, high } of offsets.offsets) {
          found.push({ topic: offsets.topic, partition, low: BigInt(low), end: BigInt(high) });
        }
      }
    });
    return found;
  }

  /** By partition the first offset that was written from then on, or the end. */
  async since(topic: string, ms: number): Promise<ReadonlyMap<number, bigint>> {
    const found = new Map<number, bigint>();
    await this.#with(async (admin) => {
      for (const { partition, offset } of await admin.fetchTopicOffsetsByTimestamp(topic, ms)) {
        found.set(partition, BigInt(offset));
      }
    });
    return found;
  }

  /** For how long compacted topics keep deletes, ms; a topic that is not compacted is left out. */
  async deletesKept(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    await this.#with(async (admin) => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((name) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configNames: ['cleanup.policy', 'delete.retention.ms'],
        })),
      });
      for (const { resourceName, configEntries } of resources) {
        const valueOf = (name: string) =>
          configEntries.find((entry) => entry.configName === name)?.configValue;
        const keptMs = Number(valueOf('delete.retention.ms'));
        if (valueOf('cleanup.policy')?.includes('compact') === true && Number.isSafeInteger(keptMs)) {
          found.set(resourceName, keptMs);
        }
      }
    });
    return found;
  }

  /** The group's committed offsets, null where it has none. */
  async committed(groupId: string, topics: Iterable<string>): Promise<(at: PartitionId) => bigint | null> {
    const found = new Map<string, bigint>();
    await this.#with(async (admin) => {
      for (const { topic, partitions } of await admin.fetchOffsets({
        groupId,
        topics: [...new Set(topics)],
      })) {
        for (const { partition, offset } of partitions) {
          if (BigInt(offset) >= 0n) found.set(`${topic}/${partition}`, BigInt(offset));
        }
      }
    });
    return (at) => found.get(`${at.topic}/${at.partition}`) ?? null;
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = null;
    await admin?.then((client) => client.disconnect()).catch(() => undefined);
  }

  async #with(work: (admin: Admin) => Promise<void>): Promise<void> {
    const opening = (this.#admin ??= this.#connect());
    try {
      await work(await opening);
    } catch (error) {
      if (this.#admin === opening) void this.close();
      throw error;
    }
  }

  async #connect(): Promise<Admin> {
    const admin = this.#createAdmin();
    await admin.connect();
    return admin;
  }
}
