/** Gathers findings: consecutive days become one, and of each check only the first are kept, all counted. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import { CHECKS, CHECK_NAMES } from './checks.ts';
import type { CheckName } from './checks.ts';

/** Days of an assignment on which a check found the same; `from` null: it is about the whole stay. */
export interface Finding {
  readonly check: CheckName;
  readonly assignmentId: Id;
  readonly batchId: Id | null;
  readonly from: Day | null;
  readonly to: Day | null;
  readonly days: number;
  /** Of the first of the days. */
  readonly detail: string;
  /** What waits to be computed may mend it. */
  readonly waiting: boolean;
}

type Growing = { -readonly [F in keyof Finding]: Finding[F] };

/** Of one assignment: who is looked at, and from which day on. */
export interface Subject {
  readonly assignmentId: Id;
  readonly batchId: Id | null;
  /** Days before it are not judged. */
  readonly since: Day;
  /** Whether dirt waits that may change the day's row. */
  readonly waits: (day: Day | null) => boolean;
}

export interface CheckResult {
  readonly findings: readonly Finding[];
  /** All findings, kept or not, and those that what waits may mend. */
  readonly found: number;
  readonly waiting: number;
}

export class Report {
  assignments = 0;
  rows = 0;
  readonly #limit: number;
  readonly #kept = new Map<CheckName, Growing[]>();
  readonly #found = new Map<CheckName, { found: number; waiting: number }>();
  /** The latest of each check for the assignment at hand: the next day may go on with it. */
  readonly #open = new Map<CheckName, Growing>();

  /** Keeps at most `limit` findings of each check. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Days of an assignment come in ascending order for each check. */
  add(check: CheckName, subject: Subject, day: Day | null, detail: string): void {
    if (day !== null && day < subject.since) return;
    const { assignmentId, batchId } = subject;
    const waiting = subject.waits(day);
    const open = this.#open.get(check);
    const goesOn =
      open?.assignmentId === assignmentId && day !== null && open.to === day - 1 && open.waiting === waiting;
    if (goesOn) {
      open.to = day;
      open.days += 1;
      return;
    }
    const finding = { check, assignmentId, batchId, from: day, to: day, days: 1, detail, waiting };
    this.#open.set(check, finding);
    this.#count(check, waiting);
    const kept = this.#kept.get(check) ?? [];
    this.#kept.set(check, kept);
    if (kept.length < this.#limit) kept.push(finding);
  }

  result(check: CheckName): CheckResult {
    const counts = this.#found.get(check) ?? { found: 0, waiting: 0 };
    return { findings: this.#kept.get(check) ?? [], ...counts };
  }

  /** Something is wrong that nothing waiting may mend; with `strict`, odd is wrong too. */
  isWrong(strict: boolean): boolean {
    return CHECK_NAMES.some((check) => {
      const { found, waiting } = this.result(check);
      return found > waiting && (strict || CHECKS[check].severity === 'wrong');
    });
  }

  #count(check: CheckName, waiting: boolean): void {
    const counts = this.#found.get(check) ?? { found: 0, waiting: 0 };
    this.#found.set(check, { found: counts.found + 1, waiting: counts.waiting + (waiting ? 1 : 0) });
  }
}
