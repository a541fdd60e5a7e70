/** The topics that the simulated processes write: requests that get lost, and a transactional daily-state topic. */
import { FencedError } from '../../src/domain/errors.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { DailyStateMessage, RecomputeRequests } from '../../src/domain/ports.ts';
import type { FencedTopic } from '../../src/publish/relay.ts';
import type { Random } from './sim-random.ts';

export type Gate = (label: string) => Promise<void>;

/** Wake-ups under way. Some never arrive, some arrive twice, none in order. */
export class RequestPool {
  readonly #random: Random;
  #waiting: Id[] = [];
  lossy = true;

  constructor(random: Random) {
    this.#random = random;
  }

  sender(gate: Gate): RecomputeRequests {
    return {
      request: async (ids) => {
        await gate('requests:before');
        for (const id of ids) {
          const times = this.lossy ? this.#random.weighted({ 0: 1, 1: 8, 2: 1 }) : '1';
          for (let n = Number(times); n > 0; n -= 1) this.#waiting.push(id);
        }
        await gate('requests:after');
      },
    };
  }

  take(most: number): Id[] {
    const all = this.#random.shuffled(this.#waiting);
    const taken = all.slice(0, this.#random.int(1, most));
    this.#waiting = all.slice(taken.length);
    // Now and then the owner of before has read the same request.
    if (this.lossy && this.#random.chance(0.3)) this.#waiting.push(...taken);
    return [...new Set(taken)];
  }

  get size(): number {
    return this.#waiting.length;
  }
}

/** What a read-committed consumer of daily-state sees, in order. */
export class CommittedLog {
  readonly messages: DailyStateMessage[] = [];
  readonly #epochs = new Map<number, number>();

  /** Fences every earlier producer of the shard and aborts what it had open. */
  init(shard: number): number {
    const epoch = (this.#epochs.get(shard) ?? 0) + 1;
    this.#epochs.set(shard, epoch);
    return epoch;
  }

  check(shard: number, epoch: number): void {
    if (this.#epochs.get(shard) !== epoch) throw new FencedError('producer epoch');
  }

  /** A producer of one process; `fencing` false: a broker without it, to see that the simulator notices. */
  producer(shard: number, gate: Gate, fencing = true): FencedTopic {
    let epoch = 0;
    const check = (): void => {
      if (fencing) this.check(shard, epoch);
    };
    return {
      open: async () => {
        await gate('topic.open:before');
        epoch = this.init(shard);
        await gate('topic.open:after');
      },
      publish: async (batches) => {
        const open: DailyStateMessage[] = [];
        for (const { messages } of batches) {
          await gate('topic.send');
          check();
          open.push(...messages);
        }
        await gate('topic.commit:before');
        check();
        this.messages.push(...open);
        await gate('topic.commit:after');
      },
      close: () => gate('topic.close'),
    };
  }
}
