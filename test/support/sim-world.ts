/**
 * The simulated world: a farm, a store, topics, and processes that come, stand still, die and come again.
 * One seed decides everything; the same seed gives the same history.
 */
import { AnchorlineError } from '../../src/domain/errors.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { DeadLetter, DeadLetterTopic, StateStore } from '../../src/domain/ports.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { letterKey, MemoryDatabase } from './memory-database.ts';
import { MemoryStore } from './memory-store.ts';
import { SimFarm } from './sim-farm.ts';
import { Random } from './sim-random.ts';
import { Scheduler } from './sim-scheduler.ts';
import type { Actor } from './sim-scheduler.ts';
import { CommittedLog, RequestPool } from './sim-topics.ts';
import type { Gate } from './sim-topics.ts';

export interface Faults {
  /** Probabilities per port call. */
  readonly kill: number;
  readonly outage: number;
  readonly freeze: number;
}

/** Ways to build a wrong system, so that the simulator can be seen to notice. */
export interface Sabotage {
  readonly store?: (store: StateStore, world: World) => StateStore;
  readonly withoutFencing?: boolean;
}

export interface WorldOptions {
  readonly seed: number;
  readonly faults: Faults;
  /** Times of work, each followed by quiet and a look at everything. */
  readonly episodes: number;
  /** Transactions of an episode. */
  readonly actions: number;
  readonly days: number;
  readonly poison: number;
  readonly partitions: number;
  readonly focus: readonly string[];
  readonly ingests: number;
  readonly recomputes: number;
  readonly shards: number;
  readonly relays: number;
  readonly snapshot: boolean;
  readonly settings?: EngineSettings;
  readonly sabotage?: Sabotage;
  /** Kills whoever makes this call (counted from 1), and nobody else. */
  readonly killAtCall?: number;
}

/** What one process has in hand. */
export interface Process {
  readonly actor: Actor;
  readonly store: StateStore;
  readonly gate: Gate;
}

export class World {
  readonly options: WorldOptions;
  readonly settings: EngineSettings;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly db = new MemoryDatabase();
  readonly farm: SimFarm;
  readonly requests: RequestPool;
  readonly published = new CommittedLog();
  /** Every letter that reached the dead-letter topic, by where its record was. */
  readonly letters = new Map<string, DeadLetter>();
  /** Assignments whose recompute fails by itself, for the time being. */
  readonly failing = new Set<Id>();
  /** What must never happen and did. */
  readonly failures: Error[] = [];
  /** Partition owners by index of the ingest process; a new array at every rebalance. */
  owners: readonly number[] = [];
  /** True once the decoder reads what was undecodable before. */
  repaired = false;
  faulty = true;
  /** Transactions that the farm's operators still have to do. */
  actionsLeft = 0;
  /** Where the scheduler wants the horizon in the end. */
  horizonGoal = 0;
  calls = 0;
  kills = 0;
  readonly #processes = new Map<string, { actor: Actor; store: MemoryStore; main: Main }>();
  readonly #dying: { store: MemoryStore; atStep: number }[] = [];
  #lives = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.settings = options.settings ?? DEFAULT_ENGINE_SETTINGS;
    this.random = new Random(options.seed);
    this.farm = new SimFarm(this.random.fork(), options);
    this.requests = new RequestPool(this.random.fork());
    const fate = this.random.fork();
    this.scheduler = new Scheduler(this.random.fork(), (actor, label) => this.#fate(fate, actor, label));
  }

  /** Starts a process that starts again whenever it dies. */
  spawn(role: string, main: Main): void {
    this.#lives += 1;
    const actor: Actor = { name: `${role}#${this.#lives}`, alive: true, frozenUntil: 0 };
    const gate: Gate = (label) => this.scheduler.gate(actor, label);
    const memory = new MemoryStore(this.db, {
      nowMs: () => this.scheduler.nowMs(),
      onCall: (name, phase) => gate(`${name}:${phase}`),
    });
    const store = this.options.sabotage?.store?.(memory, this) ?? memory;
    this.#processes.set(role, { actor, store: memory, main });
    main({ actor, store, gate }).catch((error: unknown) => {
      if (actor.alive) this.failures.push(new Error(`${actor.name} failed`, { cause: error }));
    });
  }

  deadLetterTopic(gate: Gate): DeadLetterTopic {
    return {
      send: async (letters) => {
        await gate('deadLetters:before');
        for (const letter of letters) this.letters.set(letterKey(letter.record), letter);
        await gate('deadLetters:after');
      },
    };
  }

  /** One step of the world; false where everybody waits for ever. */
  async step(): Promise<boolean> {
    this.#bury();
    this.#revive();
    return this.scheduler.step();
  }

  /** Lets things go wrong again. */
  unsettle(): void {
    this.faulty = true;
    this.requests.lossy = true;
  }

  /** No more faults: what stood still goes on, what was dying is dead. */
  heal(): void {
    this.faulty = false;
    this.requests.lossy = false;
    this.failing.clear();
    for (const { actor } of this.#processes.values()) actor.frozenUntil = 0;
    for (const { store } of this.#dying.splice(0)) store.crash();
  }

  get stepsTaken(): number {
    return this.scheduler.steps;
  }

  #fate(random: Random, actor: Actor, label: string): 'open' | 'killed' | Error {
    if (label.includes(':') || label.includes('.')) this.calls += 1;
    if (this.options.killAtCall !== undefined) {
      return this.calls === this.options.killAtCall && this.kills === 0 ? this.#kill(actor, 1) : 'open';
    }
    if (!this.faulty || actor.name.startsWith('upstream')) return 'open';
    const { kill, outage, freeze } = this.options.faults;
    const at = random.next();
    if (at < kill) return this.#kill(actor, random.int(0, 30));
    if (at < kill + outage && label.includes(':')) {
      return new AnchorlineError('SIM001', `no connection at ${label}`, { retryable: true });
    }
    // Standing still with everything done but the commit is what the locks and the fences are there for.
    const standing = label.endsWith('commit:before') ? freeze * 10 : freeze;
    if (at < kill + outage + standing)
      actor.frozenUntil = this.scheduler.steps + 10 ** (1 + 2 * random.next());
    return 'open';
  }

  /** The process makes no more steps; its connection, and the locks that it holds, last a little longer. */
  #kill(actor: Actor, lingering: number): 'killed' {
    actor.alive = false;
    this.kills += 1;
    for (const { actor: other, store } of this.#processes.values()) {
      if (other === actor) this.#dying.push({ store, atStep: this.scheduler.steps + lingering });
    }
    return 'killed';
  }

  #bury(): void {
    for (let i = this.#dying.length - 1; i >= 0; i -= 1) {
      const dying = this.#dying[i];
      if (dying === undefined || dying.atStep > this.scheduler.steps) continue;
      dying.store.crash();
      this.#dying.splice(i, 1);
    }
  }

  #revive(): void {
    for (const [role, { actor, main }] of this.#processes) {
      if (!actor.alive) this.spawn(role, main);
    }
  }
}

export type Main = (process: Process) => Promise<void>;

/** Failures of infrastructure: pause and try again. */
export function isOutage(error: unknown): boolean {
  return error instanceof AnchorlineError && error.retryable;
}
