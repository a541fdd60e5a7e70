/** What was written and has not come out yet. */
import { changeTopics } from '../../../src/domain/topics.ts';
import type { Pipeline } from '../../../test/support/pipeline.ts';

export interface Backlog {
  readonly atMs: number;
  /** Rows written since it counts, and those of them that are ingested. */
  readonly written: number;
  readonly ingested: number;
  /** Of the oldest dirt. */
  readonly dirtAgeMs: number;
  readonly dirty: number;
  readonly unpublished: number;
}

export function waitingRows({ written, ingested }: Backlog): number {
  return Math.max(0, written - ingested);
}

export class BacklogMeter {
  readonly #farm: Pipeline;
  readonly #written: () => number;
  readonly #topics: readonly string[];
  #ingestedBefore = 0;
  #writtenBefore = 0;

  private constructor(farm: Pipeline, written: () => number) {
    this.#farm = farm;
    this.#written = written;
    this.#topics = changeTopics(farm.config.topics.prefix);
  }

  /** Counts from here: all that `written` tells of must have been ingested, and nobody be writing. */
  static async open(farm: Pipeline, written: () => number): Promise<BacklogMeter> {
    const meter = new BacklogMeter(farm, written);
    const first = await meter.look();
    meter.#writtenBefore = first.written;
    meter.#ingestedBefore = first.ingested;
    return meter;
  }

  async look(): Promise<Backlog> {
    const [row] = await this.#farm.inStore<{ next: string; age: string; dirty: number; unpublished: number }>(
      `select (select coalesce(sum(next_offset), 0) from position where topic = any ($1)) as next,
         (select coalesce(extract(epoch from clock_timestamp() - min(appended_at)), 0) * 1000 from dirt) as age,
         (select count(distinct assignment_id)::integer from dirt) as dirty,
         (select count(*)::integer from publication_log) as unpublished`,
      [this.#topics],
    );
    const { next = '0', age = '0', dirty = 0, unpublished = 0 } = row ?? {};
    return {
      atMs: performance.now(),
      written: this.#written() - this.#writtenBefore,
      ingested: Number(next) - this.#ingestedBefore,
      dirtAgeMs: Number(age),
      dirty,
      unpublished,
    };
  }
}
