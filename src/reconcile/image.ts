/** What the daily-state topic holds, and how that differs from the table. Pure. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';

/** A row's whole content in a few bytes: two rows with the same digest are the same row, revision and id included. */
export type RowDigest = string;

/** The last value of each key, and the highest numbers that were ever given to one. */
export class TopicImage {
  readonly #rows = new Map<Id, Map<Day, RowDigest>>();
  #highestRevision = 0;
  #highestId = 0;

  /** In the order of the topic; `row` null is a tombstone. */
  see(
    assignmentId: Id,
    day: Day,
    row: { readonly digest: RowDigest; readonly revision: number; readonly id: number } | null,
  ): void {
    const days = this.#rows.get(assignmentId) ?? new Map<Day, RowDigest>();
    if (row === null) days.delete(day);
    else {
      this.#rows.set(assignmentId, days.set(day, row.digest));
      this.#highestRevision = Math.max(this.#highestRevision, row.revision);
      this.#highestId = Math.max(this.#highestId, row.id);
    }
  }

  /** 0: none. */
  get highestRevision(): number {
    return this.#highestRevision;
  }

  get highestId(): number {
    return this.#highestId;
  }

  /** Assignments of which the topic has or had a row. */
  assignments(): Iterable<Id> {
    return this.#rows.keys();
  }

  of(assignmentId: Id): ReadonlyMap<Day, RowDigest> {
    return this.#rows.get(assignmentId) ?? new Map<Day, RowDigest>();
  }
}

export interface Differences {
  /** Days whose row the topic lacks, or has otherwise; ascending. */
  readonly changed: readonly Day[];
  /** Days of which the topic has a row and the table none; ascending. */
  readonly gone: readonly Day[];
}

/** `table`: the assignment's rows as they stand. */
export function differencesOf(
  topic: ReadonlyMap<Day, RowDigest>,
  table: ReadonlyMap<Day, RowDigest>,
): Differences {
  const ascending = (days: Iterable<Day>): Day[] => [...days].sort((a, b) => a - b);
  const changed = [...table].filter(([day, digest]) => topic.get(day) !== digest).map(([day]) => day);
  return {
    changed: ascending(changed),
    gone: ascending([...topic.keys()].filter((day) => !table.has(day))),
  };
}
