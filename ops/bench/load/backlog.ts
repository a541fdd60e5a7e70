/** What was written and has not come out yet. */
import { changeTopics } from '../../../src/domain/topics.ts';
import type { Pipeline } from '../../../test/support/pipeline.ts';
import type { Writer } from './writer.ts';

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
  readonly #writer: Writer;
  readonly #topics: readonly string[];
  #ingestedBefore = 0;
  #writtenBefore = 0;

  private constructor(farm: Pipeline, writer: Writer) {
    this.#farm = farm;
    this.#writer = writer;
    this.#topics = changeTopics(farm.config.topics.prefix);
  }

  static async open(farm: Pipeline, writer: Writer): Promise<BacklogMeter> {
    const meter = new BacklogMeter(farm, writer);
    await meter.rest();
    return meter;
  }

  /** Counts from here: everything must have been ingested, and nobody be writing. */
  async rest(): Promise<void> {
    const { written, ingested } = await this.look();
    this.#writtenBefore += written;
    this.#ingestedBefore += ingested;
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
      written: this.#writer.rows - this.#writtenBefore,
      ingested: Number(next) - this.#ingestedBefore,
      dirtAgeMs: Number(age),
      dirty,
      unpublished,
    };
  }
}
