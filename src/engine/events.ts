/** Recorded deaths and feed of a day: what names the assignment, and its share of what does not (R18, R19). */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import { byDay, daysOf, firstAtOrAfter } from './day-order.ts';
import type { EventsOfDay, Sharing } from './observe.ts';

interface DatedEvent {
  readonly day: Day;
}

/** What is shared out, by day: see SharedEvents. */
interface Shares<S> {
  readonly days: Int32Array;
  memberIndex(assignmentId: Id): number;
  shareOf(index: number, member: number): number;
  sharing(index: number): Sharing<S>;
}

/** Sums one assignment's events day by day; reads an event's amount only on its day. */
export class EventCursor<E extends DatedEvent, S> {
  /** Whole number: what the day's events and shares add up to. */
  amount = 0;
  /** Events of the day name the assignment. */
  named = false;
  /** Events of the day are shared among assignments, this one included. */
  shared = false;

  readonly #events: readonly E[];
  readonly #days: Int32Array;
  readonly #amountOf: (event: E) => number;
  readonly #shares: Shares<S> | null;
  readonly #member: number;
  #next: number;
  #nextShared = 0;

  constructor(
    events: readonly E[],
    amountOf: (event: E) => number,
    shares: Shares<S> | null,
    assignmentId: Id,
    from: Day,
  ) {
    this.#events = byDay(events);
    this.#days = daysOf(this.#events);
    this.#amountOf = amountOf;
    this.#shares = shares;
    this.#member = shares?.memberIndex(assignmentId) ?? -1;
    this.#next = firstAtOrAfter(this.#days, from);
    if (shares !== null) this.#nextShared = firstAtOrAfter(shares.days, from);
  }

  /** Days are asked for in ascending order, each once. */
  moveTo(day: Day): void {
    let amount = 0;
    let at = this.#next;
    const days = this.#days;
    while (at < days.length && days[at] === day) amount += this.#amountOf(this.#events[at++]!);
    this.named = at > this.#next;
    this.#next = at;
    this.shared = false;
    const shares = this.#shares;
    if (shares !== null && shares.days[this.#nextShared] === day) {
      this.shared = true;
      amount += shares.shareOf(this.#nextShared++, this.#member);
    }
    this.amount = amount;
  }

  /** What the day last asked for is made of; null: no event. */
  ofDay(): EventsOfDay<E, S> | null {
    if (!this.named && !this.shared) return null;
    let start = this.#next;
    const day = this.#days[start - 1];
    while (this.named && start > 0 && this.#days[start - 1] === day) start--;
    const sharing = this.shared ? this.#shares!.sharing(this.#nextShared - 1) : null;
    return { named: this.#events.slice(start, this.#next), sharing, amount: this.amount };
  }
}
