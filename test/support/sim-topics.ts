/** The topics that the simulated processes write: requests that get lost, and a transactional daily-state topic. */
import { FencedError, UnpublishableError } from '../../src/domain/errors.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { DailyStateMessage, RecomputeRequests } from '../../src/domain/ports.ts';
import type { FencedTopic } from '../../src/publish/relay.ts';
import { LeftBehindError } from './memory-session.ts';
import type { Coverage } from './sim-coverage.ts';
import type { Random } from './sim-random.ts';

export type Gate = (label: string) => Promise<void>;

/** Wake-ups under way. Some never arrive, some arrive twice, none in order. */
export class RequestPool {
  readonly #random: Random;
  readonly #coverage: Coverage;
  #waiting: Id[] = [];
  lossy = true;

  constructor(random: Random, coverage: Coverage) {
    this.#random = random;
    this.#coverage = coverage;
  }

  sender(gate: Gate): RecomputeRequests {
    return {
      request: async (ids) => {
        await gate('requests:before');
        for (const id of ids) {
          const times = this.lossy ? this.#times() : 1;
          for (let n = times; n > 0; n -= 1) this.#waiting.push(id);
        }
        await gate('requests:after');
      },
    };
  }

  take(most: number): Id[] {
    if (this.#waiting.length === 0) return [];
    const all = this.#random.shuffled(this.#waiting);
    const taken = all.slice(0, this.#random.int(1, most));
    if (this.lossy && taken[0] !== this.#waiting[0]) this.#coverage.hit('requests: out of order');
    this.#waiting = all.slice(taken.length);
    // Now and then the owner of before has read the same request.
    if (this.lossy && this.#random.chance(0.3)) {
      this.#coverage.hit('requests: repeated');
      this.#waiting.push(...taken);
    }
    return [...new Set(taken)];
  }

  #times(): number {
    const at = this.#random.next();
    if (at < 0.1) this.#coverage.hit('requests: lost on the way');
    else if (at < 0.2) this.#coverage.hit('requests: repeated');
    if (at < 0.1) return 0;
    return at < 0.2 ? 2 : 1;
  }
}

export interface ProducerOptions {
  /** False: a broker without it, to see that the simulator notices. */
  readonly fencing?: boolean;
  readonly coverage?: Coverage;
  /** Assignments with a row that does not fit the contract. */
  readonly unfit?: ReadonlySet<Id>;
}

/** What a read-committed consumer of daily-state sees, in order. */
export class CommittedLog {
  readonly messages: DailyStateMessage[] = [];
  readonly #epochs = new Map<number, number>();
  /** Only to count what is repeated. */
  readonly #newest = new Map<string, bigint>();

  /** Fences every earlier producer of the shard and aborts what it had open. */
  init(shard: number): number {
    const epoch = (this.#epochs.get(shard) ?? 0) + 1;
    this.#epochs.set(shard, epoch);
    return epoch;
  }

  /** A producer of one process. */
  producer(
    shard: number,
    gate: Gate,
    { fencing = true, coverage, unfit }: ProducerOptions = {},
  ): FencedTopic {
    let epoch = 0;
    const isFenced = (of: number): boolean => fencing && this.#epochs.get(shard) !== of;
    const check = (): void => {
      if (!isFenced(epoch)) return;
      coverage?.hit('a fenced leader went on');
      throw new FencedError('producer epoch');
    };
    return {
      open: async () => {
        await gate('topic.open:before');
        epoch = this.init(shard);
        await gate('topic.open:after');
      },
      publish: async (batches) => {
        const misfit = batches.find(({ assignmentId }) => unfit?.has(assignmentId) === true);
        if (misfit !== undefined) {
          coverage?.hit('publish: row that does not fit');
          throw new UnpublishableError(`assignment ${misfit.assignmentId}`, 'planted');
        }
        const began = epoch;
        const open: DailyStateMessage[] = [];
        for (const { messages } of batches) {
          await gate('topic.send');
          check();
          open.push(...messages);
        }
        try {
          await gate('topic.commit:before');
        } catch (error) {
          // The end of the transaction is under way; whoever opens first, this producer itself too, has it aborted.
          if (error instanceof LeftBehindError) {
            error.later(() => {
              if (!isFenced(began)) this.#append(open, coverage);
            });
          }
          throw error;
        }
        check();
        this.#append(open, coverage);
        await gate('topic.commit:after');
      },
      close: () => gate('topic.close'),
    };
  }

  #append(messages: readonly DailyStateMessage[], coverage: Coverage | undefined): void {
    for (const message of messages) {
      const { assignmentId, day, row } = message;
      this.messages.push(message);
      if (coverage === undefined) continue;
      const key = `${assignmentId}/${day}`;
      if (row === null) coverage.hit('publish: tombstone');
      else if (this.#newest.get(key) === row.revision) coverage.hit('publish: repeated');
      else this.#newest.set(key, row.revision);
    }
  }
}
