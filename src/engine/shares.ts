/**
 * Events that several assignments share (R18, R19): by the books' fish at the start of the day, by largest
 * remainder, so that the shares add up to the whole exactly. A day's shares are worked out when first asked
 * for, and only that day's events are read for it.
 */
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';
import { byDay, firstAtOrAfter } from './day-order.ts';
import type { Sharing } from './observe.ts';
import type { Stay } from './stay.ts';

/**
 * Splits a whole number by weights: floors first, then one more to the largest remainders, ties to the first;
 * equal weights where all are 0.
 */
export function shareOut(total: number, weights: readonly number[]): number[] {
  if (weights.length === 0) return [];
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0)
    return shareOut(
      total,
      weights.map(() => 1),
    );
  const quotas = weights.map((weight) => quotaOf(total, weight, sum));
  let left = total - quotas.reduce((given, { whole }) => given + whole, 0);
  const byRemainder = quotas.map((_, i) => i);
  byRemainder.sort((a, b) => quotas[b]!.remainder - quotas[a]!.remainder || a - b);
  const shares = quotas.map(({ whole }) => whole);
  for (const i of byRemainder) {
    if (left-- <= 0) break;
    shares[i]! += 1;
  }
  return shares;
}

/** ⌊total·weight/sum⌋ and what is left of the division, exact beyond the safe integers too. */
function quotaOf(total: number, weight: number, sum: number): { whole: number; remainder: number } {
  const product = total * weight;
  if (Math.abs(product) <= Number.MAX_SAFE_INTEGER) {
    const rest = product % sum;
    const remainder = rest < 0 ? rest + sum : rest;
    return { whole: (product - remainder) / sum, remainder };
  }
  const divisor = BigInt(sum);
  const exact = BigInt(total) * BigInt(weight);
  const rest = exact % divisor;
  const remainder = rest < 0n ? rest + divisor : rest;
  return { whole: Number((exact - remainder) / divisor), remainder: Number(remainder) };
}

interface SharedEvent {
  readonly id: Id;
  readonly day: Day;
}

/** Days of shared events that nobody was there for, with the amount that went to nobody. */
export interface Unshared {
  readonly day: Day;
  readonly amount: number;
}

export class SharedEvents<E extends SharedEvent> {
  /** The days with events, ascending. */
  readonly days: Int32Array;
  readonly #members: readonly Stay[];
  readonly #events: readonly E[];
  /** First event of each day, and past the last one. */
  readonly #starts: Int32Array;
  readonly #amountOf: (event: E) => number;
  readonly #shares: (Float64Array | undefined)[] = [];

  /** `members` ascending by assignment id; amounts are whole numbers. */
  constructor(members: readonly Stay[], events: readonly E[], amountOf: (event: E) => number) {
    this.#members = members;
    this.#events = byDay(events);
    this.#amountOf = amountOf;
    const starts: number[] = [];
    this.#events.forEach((event, i) => {
      if (event.day !== this.#events[i - 1]?.day) starts.push(i);
    });
    this.days = Int32Array.from(starts, (start) => this.#events[start]!.day);
    this.#starts = Int32Array.from([...starts, this.#events.length]);
  }

  /** The position of an assignment among the members. */
  memberIndex(assignmentId: Id): number {
    return this.#members.findIndex((member) => member.assignment.id === assignmentId);
  }

  /** The member's share of `days[dayIndex]`; 0 for one whose stay does not contain the day. */
  shareOf(dayIndex: number, memberIndex: number): number {
    const shares = (this.#shares[dayIndex] ??= this.#shareDay(dayIndex));
    return shares[memberIndex]!;
  }

  /** The days in the window on which no member was there. */
  unshared({ from, to }: DayWindow): Unshared[] {
    const found: Unshared[] = [];
    for (let i = firstAtOrAfter(this.days, from); i < this.days.length; i++) {
      const day = this.days[i]!;
      if (day > to) break;
      if (!this.#members.some((member) => member.contains(day))) {
        found.push({ day, amount: this.#amountOn(i) });
      }
    }
    return found;
  }

  /** How the day's amount was shared out: the shares as they were given, and what they were given by. */
  sharing(dayIndex: number): Sharing<E> {
    const day = this.days[dayIndex]!;
    const events = this.#events.slice(this.#starts[dayIndex], this.#starts[dayIndex + 1]);
    const members = this.#members.flatMap((member, i) =>
      member.contains(day)
        ? [
            {
              assignmentId: member.assignment.id,
              ledger: member.ledger(day),
              share: this.shareOf(dayIndex, i),
            },
          ]
        : [],
    );
    return { events, total: this.#amountOn(dayIndex), members };
  }

  #shareDay(dayIndex: number): Float64Array {
    const day = this.days[dayIndex]!;
    const shares = new Float64Array(this.#members.length);
    const present: number[] = [];
    this.#members.forEach((member, i) => {
      if (member.contains(day)) present.push(i);
    });
    const weights = present.map((i) => this.#members[i]!.ledger(day));
    const parts = shareOut(this.#amountOn(dayIndex), weights);
    present.forEach((i, n) => {
      shares[i] = parts[n]!;
    });
    return shares;
  }

  #amountOn(dayIndex: number): number {
    let amount = 0;
    for (let i = this.#starts[dayIndex]!; i < this.#starts[dayIndex + 1]!; i++) {
      amount += this.#amountOf(this.#events[i]!);
    }
    return amount;
  }
}
