/**
 * The simulated world: a farm, a store, topics, and processes that come, stand still, die and come again.
 * What happens is a list of steps, each with a salt that decides all that is left to chance in it: the same list gives
 * the same history, and a list with parts left out another one.
 */
import { AnchorlineError } from '../../src/domain/errors.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { DeadLetter, DeadLetterTopic, StateStore } from '../../src/domain/ports.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import type { IsolatingIngestDeps } from '../../src/ingest/isolate.ts';
import type { FencedTopic } from '../../src/publish/relay.ts';
import { letterKey, MemoryDatabase } from './memory-database.ts';
import { LeftBehindError } from './memory-session.ts';
import { MemoryStore } from './memory-store.ts';
import { Coverage } from './sim-coverage.ts';
import { SimFarm } from './sim-farm.ts';
import type { Emitted } from './sim-farm.ts';
import { callOf, canStrike, nameOfOutage } from './sim-faults.ts';
import type { Fault, FaultRates } from './sim-faults.ts';
import type { Choice, Policy } from './sim-policy.ts';
import { Random } from './sim-random.ts';
import { Scheduler } from './sim-scheduler.ts';
import type { Actor } from './sim-scheduler.ts';
import type { Mark } from './sim-trace.ts';
import { CommittedLog, RequestPool } from './sim-topics.ts';
import type { Gate } from './sim-topics.ts';

/** Ways to build a wrong system, so that the simulator can be seen to notice. */
export interface Sabotage {
  readonly store?: (store: StateStore, world: World) => StateStore;
  readonly withoutFencing?: boolean;
  /** Options under which it shows soonest. */
  readonly aim?: Partial<WorldOptions>;
  readonly ingest?: (deps: IsolatingIngestDeps, world: World) => IsolatingIngestDeps;
  /** What a publisher makes of its topic. */
  readonly topic?: (topic: FencedTopic, world: World) => FencedTopic;
}

export interface WorldOptions {
  readonly seed: number;
  readonly faults: FaultRates;
  /** Times of work, each followed by quiet and a look at everything. */
  readonly episodes: number;
  /** Transactions of an episode. */
  readonly actions: number;
  readonly days: number;
  /** Share of the farm's rows that are there to begin with. */
  readonly population: number;
  readonly poison: number;
  readonly partitions: number;
  readonly focus: readonly string[];
  readonly compacting: boolean;
  /** How often in an episode, at most, the connector dies and writes its last records once more. */
  readonly repeats: number;
  readonly ingests: number;
  readonly recomputes: number;
  readonly shards: number;
  readonly relays: number;
  /** Short beside the time for which a process may stand still, or not so short. */
  readonly leaseMs: number;
  readonly schedulers: number;
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

/** Is shown everything that happens, for a trace that people read. */
export interface Witness {
  step(actor: Actor, label: string, fault: Fault | null): void;
  mark(mark: Mark['mark']): void;
  record(emitted: Emitted): void;
}

export class World {
  readonly options: WorldOptions;
  readonly settings: EngineSettings;
  readonly coverage = new Coverage();
  /** Sown anew at every step. */
  readonly random: Random;
  readonly scheduler = new Scheduler();
  readonly db = new MemoryDatabase();
  readonly farm: SimFarm;
  readonly requests: RequestPool;
  readonly published = new CommittedLog();
  /** Every letter that reached the dead-letter topic, by where its record was. */
  readonly letters = new Map<string, DeadLetter>();
  /** Assignments whose recompute fails by itself, for the time being; and those with a row that nobody can publish. */
  readonly failing = new Set<Id>();
  readonly unfit = new Set<Id>();
  /** What must never happen and did. */
  readonly failures: Error[] = [];
  /** Partition owners by index of the ingest process; a new array at every rebalance. */
  owners: readonly number[] = [];
  /** Relays that believe that they lead, by shard. */
  readonly leaders = new Map<number, Set<Actor>>();
  /** True once the decoder reads what was undecodable before. */
  repaired = false;
  faulty = true;
  /** Transactions that the farm's operators still have to do. */
  actionsLeft = 0;
  repeatsLeft = 0;
  /** Where the scheduler wants the horizon in the end. */
  horizonGoal = 0;
  calls = 0;
  kills = 0;
  readonly #witness: Witness | undefined;
  readonly #processes = new Map<string, { actor: Actor; store: MemoryStore; main: Main }>();
  readonly #dead: string[] = [];
  /** What ends by itself after a while, though nobody waits for it. */
  readonly #later: { atStep: number; readonly run: () => void }[] = [];
  #storeSkewMs = 0;
  #lives = 0;

  constructor(options: WorldOptions, witness?: Witness) {
    this.options = options;
    this.#witness = witness;
    this.settings = options.settings ?? DEFAULT_ENGINE_SETTINGS;
    this.random = new Random(options.seed);
    const tell = (emitted: Emitted): void => witness?.record(emitted);
    this.farm = new SimFarm(this.random, options, this.coverage, tell);
    this.requests = new RequestPool(this.random, this.coverage);
  }

  /** Starts a process that starts again whenever it dies. */
  spawn(role: string, main: Main): void {
    this.#lives += 1;
    const actor: Actor = { role, name: `${role}#${this.#lives}`, alive: true, frozenUntil: 0, skewMs: 0 };
    const gate: Gate = (label) => this.scheduler.gate(actor, label);
    const memory = new MemoryStore(this.db, {
      nowMs: () => this.scheduler.nowMs() + this.#storeSkewMs,
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

  /** One step of the world, as the policy has it; null where everybody waits for ever. */
  async step(policy: Policy): Promise<Choice | null> {
    await this.letTimePass();
    let choice = policy.next(this.scheduler, this.faulty);
    while (choice === null) {
      // Everybody waits for what nobody holds any more.
      if (this.#later.length === 0) return null;
      this.#passTime(Math.min(...this.#later.map(({ atStep }) => atStep)));
      await this.scheduler.settled();
      choice = policy.next(this.scheduler, this.faulty);
    }
    this.random.reseed(choice.salt);
    const tookMs = this.random.int(0, 20);
    this.scheduler.take(choice.gate, choice.tookMs ?? tookMs);
    this.#strike(choice);
    await this.scheduler.settled();
    return choice;
  }

  /** What ends by itself by now has ended, and who died is there again. */
  async letTimePass(): Promise<void> {
    if (this.#passTime(this.scheduler.steps)) await this.scheduler.settled();
    this.#revive();
  }

  /** Whether a step of the role's may be asked for: it waits at a gate, or everybody waits for what time will bring. */
  canStep(role: string): boolean {
    const { gates } = this.scheduler;
    return gates.length === 0 || gates.some(({ actor }) => actor.role === role);
  }

  /** Lets things go wrong again. */
  unsettle(): void {
    this.faulty = true;
    this.requests.lossy = true;
  }

  /** No more faults: what was dying is dead, every clock is right. What stands still does so for as long as it was to. */
  async heal(): Promise<void> {
    this.faulty = false;
    this.requests.lossy = false;
    this.actionsLeft = 0;
    this.failing.clear();
    this.unfit.clear();
    this.farm.letGo();
    this.#storeSkewMs = 0;
    for (const { actor } of this.#processes.values()) {
      actor.skewMs = 0;
    }
    this.#passTime(Number.POSITIVE_INFINITY);
    await this.scheduler.settled();
  }

  get stepsTaken(): number {
    return this.scheduler.steps;
  }

  #strike({ gate, fault: wanted }: Choice): void {
    const { actor, label } = gate;
    const call = callOf(label);
    if (call.port !== 'none') this.calls += 1;
    let fault = wanted !== null && canStrike(wanted, call) ? wanted : null;
    if (this.options.killAtCall !== undefined) {
      fault =
        this.calls === this.options.killAtCall && this.kills === 0 && call.port !== 'none' ? 'kill' : null;
    }
    this.#witness?.step(actor, label, fault);
    switch (fault) {
      case 'kill':
        this.#kill(actor, label);
        return;
      case 'clock':
        this.#jump(actor);
        break;
      case 'outage':
        this.coverage.hit(nameOfOutage(label));
        gate.fail(new AnchorlineError('SIM001', `no connection at ${label}`, { retryable: true }));
        return;
      case 'doubt':
      case 'linger':
        gate.fail(this.#leftBehind(label, fault));
        return;
      case null:
    }
    gate.open();
  }

  #leftBehind(label: string, fault: 'doubt' | 'linger'): LeftBehindError {
    const commits = fault === 'doubt';
    if (!commits) this.coverage.hit('store: transaction of a lost client lingers');
    const steps = this.random.int(1, 300);
    return new LeftBehindError(label, commits, (end) => {
      const applied = label.startsWith('topic')
        ? 'topic: commit applied after the client gave up'
        : 'store: commit applied after the client gave up';
      if (commits) this.coverage.hit(applied);
      this.#later.push({ atStep: this.scheduler.steps + steps, run: end });
    });
  }

  /** Its own clock, or the store's, is put forwards or back, by milliseconds or by many seconds. */
  #jump(actor: Actor): void {
    const byMs = Math.round(10 ** (1 + 3.3 * this.random.next()));
    const forwards = this.random.chance(0.5);
    const moved = forwards ? byMs : -byMs;
    if (this.random.chance(0.5)) {
      actor.skewMs += moved;
      this.coverage.hit(forwards ? 'clock of a process: forwards' : 'clock of a process: backwards');
    } else {
      this.#storeSkewMs += moved;
      this.coverage.hit(forwards ? 'clock of the store: forwards' : 'clock of the store: backwards');
    }
  }

  /** The process makes no more steps; its connection, and the locks that it holds, last a little longer. */
  #kill(actor: Actor, label: string): void {
    const { isCommit, phase } = callOf(label);
    this.coverage.hit('process: killed');
    if (isCommit) {
      this.coverage.hit(
        phase === 'before' ? 'process: killed about to commit' : 'process: killed after its commit',
      );
    }
    actor.alive = false;
    this.kills += 1;
    const process = this.#processes.get(actor.role);
    if (process?.actor !== actor) return;
    const atStep = this.scheduler.steps + this.random.int(0, 30);
    this.#later.push({ atStep, run: () => process.store.crash() });
    this.#dead.push(actor.role);
    this.scheduler.forget(actor);
  }

  /** Ends what ends by then; whether anything did. */
  #passTime(step: number): boolean {
    const { length } = this.#later;
    for (let i = this.#later.length - 1; i >= 0; i -= 1) {
      const next = this.#later[i];
      if (next === undefined || next.atStep > step) continue;
      this.#later.splice(i, 1);
      next.run();
    }
    return this.#later.length < length;
  }

  #revive(): void {
    for (const role of this.#dead.splice(0)) {
      const process = this.#processes.get(role);
      if (process !== undefined) this.spawn(role, process.main);
    }
  }
}

export type Main = (process: Process) => Promise<void>;

/** Failures of infrastructure: pause and try again. */
export function isOutage(error: unknown): boolean {
  return error instanceof AnchorlineError && error.retryable;
}
