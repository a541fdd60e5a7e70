/** Makes a failing trace small: parts are left out as long as what is left still fails in the same way. */
import { BrokenLaw, replay, runSeed } from './sim-run.ts';
import { callOf } from './sim-faults.ts';
import { isStep } from './sim-trace.ts';
import type { TraceEntry } from './sim-trace.ts';
import type { WorldOptions } from './sim-world.ts';

export interface Shrunk {
  readonly options: WorldOptions;
  readonly trace: readonly TraceEntry[];
  readonly failure: string;
  /** Entries of the trace to begin with, and how many smaller ones were played. */
  readonly from: number;
  readonly tries: number;
}

/** Null where the seed does not fail. `isOver` ends the search early, with the smallest found by then. */
export async function shrinkSeed(options: WorldOptions, isOver: () => boolean): Promise<Shrunk | null> {
  const trace: TraceEntry[] = [];
  try {
    await runSeed(options, trace);
    return null;
  } catch (error) {
    if (!(error instanceof BrokenLaw)) throw error;
    const shrinker = new Shrinker(options, trace, error, isOver);
    await shrinker.run();
    return shrinker.result();
  }
}

class Shrinker {
  readonly #isOver: () => boolean;
  readonly #kind: string;
  readonly #from: number;
  #options: WorldOptions;
  #trace: readonly TraceEntry[];
  #failure: string;
  #tries = 0;

  constructor(options: WorldOptions, trace: readonly TraceEntry[], error: BrokenLaw, isOver: () => boolean) {
    this.#options = options;
    this.#trace = trace;
    this.#failure = error.reason;
    this.#kind = kindOf(error.reason);
    this.#from = trace.length;
    this.#isOver = isOver;
  }

  async run(): Promise<void> {
    await this.#accept(this.#options, withoutDrains(this.#trace));
    await this.#drop(unitsOf);
    await this.#simplify();
    await this.#drop(unitsOf);
    await this.#drop(entriesOf);
    await this.#dropFaults();
  }

  result(): Shrunk {
    return {
      options: this.#options,
      trace: this.#trace,
      failure: this.#failure,
      from: this.#from,
      tries: this.#tries,
    };
  }

  /** Delta debugging: ever fewer parts at a time, until no single one can go. */
  async #drop(partsOf: (trace: readonly TraceEntry[]) => number[][]): Promise<void> {
    let parts = partsOf(this.#trace);
    let size = Math.ceil(parts.length / 2);
    while (size >= 1 && !this.#isOver()) {
      let dropped = false;
      // From the end: what comes last hangs on what was before.
      for (let end = parts.length; end > 0 && !this.#isOver(); end -= size) {
        const gone = new Set(parts.slice(Math.max(0, end - size), end).flat());
        const rest = this.#trace.filter((_, i) => !gone.has(i));
        if (!(await this.#accept(this.#options, rest))) continue;
        dropped = true;
        parts = partsOf(this.#trace);
        end = Math.min(end, parts.length + size);
      }
      if (size === 1 && !dropped) return;
      size = size === 1 ? 1 : Math.floor(size / 2);
    }
  }

  /** A smaller world, and a quieter one. */
  async #simplify(): Promise<void> {
    const smaller: Partial<WorldOptions>[] = [
      { population: 0 },
      { population: 0.2 },
      { population: 0.4 },
      { snapshot: false },
      { repeats: 0 },
      { repeats: 1 },
      { ingests: 1 },
      { ingests: 2 },
      { recomputes: 1 },
      { relays: 1 },
      { shards: 1 },
      { schedulers: 1 },
      { partitions: 1 },
      { days: 6 },
    ];
    for (const change of smaller) {
      if (this.#isOver()) return;
      const less = Object.entries(change).every(([name, value]) => {
        const now = this.#options[name as keyof WorldOptions];
        return typeof now === 'number' && typeof value === 'number' ? value < now : now !== value;
      });
      if (less) await this.#accept({ ...this.#options, ...change }, this.#trace);
    }
  }

  async #dropFaults(): Promise<void> {
    for (let i = 0; i < this.#trace.length && !this.#isOver(); i += 1) {
      const entry = this.#trace[i];
      if (entry === undefined || !('fault' in entry) || entry.fault === null) continue;
      await this.#accept(this.#options, this.#trace.with(i, { ...entry, fault: null }));
    }
  }

  async #accept(options: WorldOptions, trace: readonly TraceEntry[]): Promise<boolean> {
    this.#tries += 1;
    try {
      await replay(options, trace);
      return false;
    } catch (error) {
      if (!(error instanceof BrokenLaw) || kindOf(error.reason) !== this.#kind) return false;
      this.#options = options;
      this.#trace = trace;
      this.#failure = error.reason;
      return true;
    }
  }
}

/** What a process does from one look for work to the next: its steps lie among those of others. */
function unitsOf(trace: readonly TraceEntry[]): number[][] {
  const units: number[][] = [];
  const current = new Map<string, number[]>();
  trace.forEach((entry, i) => {
    const known = isStep(entry) ? current.get(entry.role) : undefined;
    if (isStep(entry) && known !== undefined && callOf(entry.label).port !== 'none') {
      known.push(i);
      return;
    }
    const unit = [i];
    units.push(unit);
    if (isStep(entry)) current.set(entry.role, unit);
  });
  return units;
}

function entriesOf(trace: readonly TraceEntry[]): number[][] {
  return trace.map((_, i) => [i]);
}

/** The steps between healing and looking: afterwards everybody has a turn anyway. */
function withoutDrains(entries: readonly TraceEntry[]): TraceEntry[] {
  const kept: TraceEntry[] = [];
  let drains = false;
  for (const entry of entries) {
    if ('mark' in entry) drains = entry.mark === 'heal';
    if ('mark' in entry || !drains) kept.push(entry);
  }
  return kept;
}

/** What went wrong, whichever assignment or day it was of. */
function kindOf(failure: string): string {
  return failure.replaceAll(/\d+/g, '#').split(/ differ| is | went | was not /)[0] ?? '';
}
