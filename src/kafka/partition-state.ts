import type { PartitionId } from '../domain/ports.ts';

/**
 * `positioning`: its position is being asked for; `consuming`; `backing-off`: its handler failed and will be
 * tried again; `halted`: its handler failed for good. All but `consuming` are paused in the client.
 */
export type Phase = 'positioning' | 'consuming' | 'backing-off' | 'halted';

/** One partition during one assignment. A new assignment makes new states, so an old one can be told by identity. */
export class PartitionState implements PartitionId {
  readonly topic: string;
  readonly partition: number;
  phase: Phase;
  /** The store's position: next offset to handle. */
  position = 0n;
  /** Where the client must have fetched the next batch from; null: not known yet. */
  fetchFrom: bigint | null = null;
  /** Next offset to commit to Kafka; null: nothing new. */
  committable: bigint | null = null;
  handlingSinceMs: number | null = null;
  /** Failures in a row of the handler. */
  attempts = 0;
  /** Repositionings in a row without a handled batch. */
  repositionings = 0;
  timer: NodeJS.Timeout | null = null;
  /** The store's position that lay outside the log; null: the last one lay within it. */
  outside: bigint | null = null;

  constructor(topic: string, partition: number, phase: Phase) {
    this.topic = topic;
    this.partition = partition;
    this.phase = phase;
  }

  get id(): PartitionId {
    return { topic: this.topic, partition: this.partition };
  }

  get name(): string {
    return `${this.topic}/${this.partition}`;
  }

  succeeded(): void {
    this.attempts = 0;
    this.repositionings = 0;
  }

  dispose(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
