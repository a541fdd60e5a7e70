/**
 * The cooperative scheduler: everything that a simulated process waits for is a gate here, and a policy decides
 * which gate opens next. Nothing else moves: no real clock, no real I/O.
 */
import { nextTick } from 'node:process';
import type { Clock } from '../../src/domain/ports.ts';

/** A process of the simulated world, from start to death. */
export interface Actor {
  /** One of a role at a time: a process that died comes again under the same role and another name. */
  readonly role: string;
  readonly name: string;
  alive: boolean;
  /** Not scheduled before this step: a process that stands still while the others go on. */
  frozenUntil: number;
  /** How far its clock is off. */
  skewMs: number;
}

export interface Gate {
  readonly actor: Actor;
  readonly label: string;
  /** Virtual time, ms, before which it cannot open. */
  notBeforeMs: number;
  readonly open: () => void;
  readonly fail: (error: Error) => void;
}

export class Scheduler {
  readonly gates: Gate[] = [];
  #nowMs = 1_700_000_000_000;
  #steps = 0;

  get steps(): number {
    return this.#steps;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Resolves when the scheduler lets the actor go on; rejects with a fault; stays pending for a killed actor. */
  gate(actor: Actor, label: string, notBeforeMs = 0): Promise<void> {
    return new Promise((open, fail) => {
      if (actor.alive) this.gates.push({ actor, label, notBeforeMs, open, fail });
    });
  }

  /** An actor's own idea of the time; how long it sleeps does not hang on that. */
  clock(actor: Actor): Clock {
    return {
      nowMs: () => this.#nowMs + actor.skewMs,
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

  /** Takes the gate: whoever waits at it makes the next step, `tookMs` later or when it may open at last. */
  take(gate: Gate, tookMs: number): void {
    this.gates.splice(this.gates.indexOf(gate), 1);
    this.#steps += 1;
    this.#nowMs = Math.max(this.#nowMs + tookMs, gate.notBeforeMs);
  }

  forget(actor: Actor): void {
    for (let i = this.gates.length - 1; i >= 0; i -= 1) {
      if (this.gates[i]?.actor === actor) this.gates.splice(i, 1);
    }
  }

  /** Resolves once everybody who was freed has come to a gate. Call it from a promise's continuation. */
  settled(): Promise<void> {
    // What was freed runs in microtasks only, and the next tick begins when there are none left.
    return new Promise((resolve) => nextTick(resolve));
  }
}
