/** Who goes on next, and what befalls it: by chance, as it was before, or one after the other. */
import type { Coverage } from './sim-coverage.ts';
import { callOf, canStrike, nameOfDelay } from './sim-faults.ts';
import type { Call, Fault, FaultRates } from './sim-faults.ts';
import type { Random } from './sim-random.ts';
import type { Actor, Gate, Scheduler } from './sim-scheduler.ts';

export interface Choice {
  readonly gate: Gate;
  readonly salt: number;
  readonly fault: Fault | null;
  /** How long the step takes at least, ms; absent: as chance has it. */
  readonly tookMs?: number;
}

export interface Policy {
  /** Null: nobody can go on. */
  next(scheduler: Scheduler, faulty: boolean): Choice | null;
}

const STRIKES: readonly Fault[] = ['kill', 'outage', 'doubt', 'linger', 'clock'];
const AWAY_STEPS = { least: 30, most: 400 };
/** Most often long enough for all the others to have done what there is to do. */
const HELD_STEPS = { least: 100, most: 2_000 };

export class ByChance implements Policy {
  readonly #random: Random;
  readonly #rates: FaultRates;
  readonly #coverage: Coverage;
  /** How likely whoever went on last goes on next: 0 mixes every step, near 1 lets whole transactions through. */
  readonly #stickiness: number;
  #last: Actor | null = null;
  #storeAwayUntil = 0;
  #brokerAwayUntil = 0;

  constructor(random: Random, rates: FaultRates, coverage: Coverage) {
    this.#random = random;
    this.#rates = rates;
    this.#coverage = coverage;
    this.#stickiness = random.pick([0, 0.5, 0.9, 0.97]);
  }

  next(scheduler: Scheduler, faulty: boolean): Choice | null {
    const random = this.#random;
    for (;;) {
      const gate = this.#pick(scheduler);
      if (gate === null) return null;
      const call = callOf(gate.label);
      if (!faulty || gate.actor.role === 'upstream') return this.#go(gate, null);
      if (this.#standsStill(gate, call, scheduler)) continue;
      if (this.#isAway(call, scheduler.steps)) return this.#go(gate, 'outage');
      let at = random.next() / oddsOf(call);
      for (const fault of STRIKES) {
        at -= this.#rates[fault];
        if (at < 0) return this.#go(gate, canStrike(fault, call) ? fault : null);
      }
      return this.#go(gate, null);
    }
  }

  #go(gate: Gate, fault: Fault | null): Choice {
    this.#last = gate.actor;
    return { gate, salt: this.#random.seed(), fault };
  }

  /** Freezes the actor at the gate, or makes the call take long; the gate stays shut. */
  #standsStill(gate: Gate, call: Call, scheduler: Scheduler): boolean {
    const { freeze, hold, late } = this.#rates;
    const random = this.#random;
    // With everything done but the commit is what the locks and the fences are there for.
    if (call.isBrink && random.chance(call.isCommit || call.port === 'topic' ? hold : hold / 4)) {
      if (call.isCommit) this.#coverage.hit('process: stood still about to commit');
      gate.actor.frozenUntil = scheduler.steps + random.int(HELD_STEPS.least, HELD_STEPS.most);
      return true;
    }
    const at = random.next() / oddsOf(call);
    if (at < freeze) {
      this.#coverage.hit('process: stood still');
      gate.actor.frozenUntil = scheduler.steps + Math.ceil(10 ** (1 + 2 * random.next()));
      return true;
    }
    if (at < freeze + late && call.port !== 'none') {
      this.#coverage.hit(nameOfDelay(call.port));
      gate.notBeforeMs = scheduler.nowMs() + random.int(20, 2_000);
      return true;
    }
    return false;
  }

  #isAway({ port, phase }: Call, step: number): boolean {
    const random = this.#random;
    if (this.#rates.away > 0 && random.chance(this.#rates.away)) {
      const until = step + random.int(AWAY_STEPS.least, AWAY_STEPS.most);
      if (random.chance(0.5)) {
        this.#coverage.hit('store: away for all');
        this.#storeAwayUntil = until;
      } else {
        this.#coverage.hit('broker: away for all');
        this.#brokerAwayUntil = until;
      }
    }
    if (port === 'none' || phase !== 'before') return false;
    if (port === 'store') return step < this.#storeAwayUntil;
    return port !== 'registry' && step < this.#brokerAwayUntil;
  }

  #pick(scheduler: Scheduler): Gate | null {
    const { gates, steps } = scheduler;
    const now = scheduler.nowMs();
    const sticky = this.#random.chance(this.#stickiness);
    const due: Gate[] = [];
    let earliest: Gate | null = null;
    let thawing: Gate | null = null;
    for (const gate of gates) {
      if (gate.actor.frozenUntil > steps) {
        if (thawing === null || gate.actor.frozenUntil < thawing.actor.frozenUntil) thawing = gate;
        continue;
      }
      if (gate.notBeforeMs <= now) {
        if (sticky && gate.actor === this.#last) return gate;
        due.push(gate);
      } else if (earliest === null || gate.notBeforeMs < earliest.notBeforeMs) {
        earliest = gate;
      }
    }
    if (due.length > 0) return this.#random.pick(due);
    return earliest ?? thawing;
  }
}

/** One process after the other, each until it sleeps: nothing that hangs on who goes first is left to chance. */
export class InTurns implements Policy {
  readonly #random: Random;
  #last: Actor | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  next(scheduler: Scheduler): Choice | null {
    let best: Gate | null = null;
    for (const gate of scheduler.gates) {
      if (gate.actor === this.#last && gate.label !== 'sleep' && gate.label !== 'poll') {
        best = gate;
        break;
      }
      if (best === null || gate.notBeforeMs < best.notBeforeMs) best = gate;
    }
    if (best === null) return null;
    this.#last = best.actor;
    return { gate: best, salt: this.#random.seed(), fault: null };
  }
}

/** Calls that are rare beside a store's statements have their faults more often. */
function oddsOf({ port, isCommit }: Call): number {
  switch (port) {
    case 'none':
      return 0.3;
    case 'store':
      return isCommit ? 10 : 1;
    case 'topic':
    case 'deadLetters':
      return 40;
    default:
      return 10;
  }
}
