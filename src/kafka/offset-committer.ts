import type { Consumer } from 'kafkajs';

import type { Logger } from '../runtime/logger.ts';
import type { PartitionState } from './partition-state.ts';

/**
 * Commits offsets to Kafka now and then: for lag displays, and for where a consumer of the group's own offsets
 * goes on. A commit that fails is dropped; the next one says more.
 */
export class OffsetCommitter {
  readonly #consumer: Consumer;
  readonly #partitions: () => readonly PartitionState[];
  readonly #everyMs: number;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | null = null;
  #committing = false;

  constructor(consumer: Consumer, partitions: () => readonly PartitionState[], everyMs: number, log: Logger) {
    this.#consumer = consumer;
    this.#partitions = partitions;
    this.#everyMs = everyMs;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => void this.commit(), this.#everyMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Never rejects; does nothing while a commit is under way. */
  async commit(): Promise<void> {
    if (this.#committing) return;
    const due = this.#partitions().filter((state) => state.committable !== null);
    if (due.length === 0) return;
    this.#committing = true;
    const offsets = due.map((state) => ({ ...state.id, offset: String(state.committable) }));
    for (const state of due) state.committable = null;
    try {
      await this.#consumer.commitOffsets(offsets);
    } catch (error) {
      this.#log.debug({ err: error }, 'offsets were not committed to Kafka');
    } finally {
      this.#committing = false;
    }
  }
}
