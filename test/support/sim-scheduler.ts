/**
 * The cooperative scheduler: everything that a simulated process waits for is a gate here, and the seed decides
 * which gate opens next. Nothing else moves: no real clock, no real I/O.
 */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/domain/ports.ts';
import type { Random } from './sim-random.ts';

/** A process of the simulated world, from start to death. */
export interface Actor {
  readonly name: string;
  alive: boolean;
  /** Not scheduled before this step: a process that stands still while the others go on. */
  frozenUntil: number;
}

interface Gate {
  readonly actor: Actor;
  readonly label: string;
  /** Virtual time, ms, before which it cannot open. */
  readonly notBeforeMs: number;
  readonly open: () => void;
}

/** Decides what becomes of a gate that was picked: open it, let it fail, or leave it shut for ever. */
export type Fate = (actor: Actor, label: string) => 'open' | 'killed' | Error;

export class Scheduler {
  readonly #random: Random;
  readonly #gates: Gate[] = [];
  readonly #fate: Fate;
  /** How likely whoever went on last goes on next: 0 mixes every step, near 1 lets whole transactions through. */
  readonly #stickiness: number;
  #last: Actor | null = null;
  #nowMs = 1_700_000_000_000;
  #steps = 0;

  constructor(random: Random, fate: Fate) {
    this.#random = random;
    this.#stickiness = random.pick([0, 0.5, 0.9, 0.97]);
    this.#fate = fate;
  }

  get steps(): number {
    return this.#steps;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Resolves when the scheduler lets the actor go on; rejects with a fault; stays pending for a killed actor. */
  gate(actor: Actor, label: string, notBeforeMs = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      const open = (): void => {
        const fate = this.#fate(actor, label);
        if (fate === 'open') resolve();
        else if (fate instanceof Error) reject(fate);
      };
      this.#gates.push({ actor, label, notBeforeMs, open });
    });
  }

  clock(actor: Actor): Clock {
    return {
      nowMs: () => this.#nowMs,
      sleep: (ms, signal) => {
        if (signal === undefined) return this.gate(actor, 'sleep', this.#nowMs + ms);
        return new Promise((resolve, reject) => {
          const aborted = (): void => {
            reject(signal.reason as Error);
          };
          if (signal.aborted) aborted();
          signal.addEventListener('abort', aborted, { once: true });
          const awake = (): void => {
            signal.removeEventListener('abort', aborted);
            resolve();
          };
          void this.gate(actor, 'sleep', this.#nowMs + ms).then(awake, reject);
        });
      },
    };
  }

  /** Opens one gate and lets what it freed run to its next gate; false where everybody waits for ever. */
  async step(): Promise<boolean> {
    this.#forgetDead();
    const gate = this.#pick();
    if (gate === null) return false;
    this.#steps += 1;
    this.#nowMs = Math.max(this.#nowMs + this.#random.int(0, 20), gate.notBeforeMs);
    gate.open();
    // What was freed runs in microtasks only: by the next turn of the event loop it has come to a gate.
    await setImmediate();
    return true;
  }

  #forgetDead(): void {
    for (let i = this.#gates.length - 1; i >= 0; i -= 1) {
      if (this.#gates[i]?.actor.alive === false) this.#gates.splice(i, 1);
    }
  }

  #pick(): Gate | null {
    const { length } = this.#gates;
    if (length === 0) return null;
    const awake = this.#gates.filter((gate) => gate.actor.frozenUntil <= this.#steps);
    const pool = awake.length > 0 ? awake : this.#gates;
    const due = pool.filter((gate) => gate.notBeforeMs <= this.#nowMs);
    const earliest = (): Gate => pool.reduce((a, b) => (b.notBeforeMs < a.notBeforeMs ? b : a));
    const again = this.#random.chance(this.#stickiness)
      ? due.find(({ actor }) => actor === this.#last)
      : undefined;
    const gate = again ?? (due.length > 0 ? this.#random.pick(due) : earliest());
    this.#last = gate.actor;
    this.#gates.splice(this.#gates.indexOf(gate), 1);
    return gate;
  }
}
