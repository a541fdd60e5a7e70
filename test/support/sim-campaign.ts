/** Seed after seed, in this process or in several, until enough of them are played. */
import { fork } from 'node:child_process';
import type { Serializable } from 'node:child_process';
import { Coverage } from './sim-coverage.ts';
import type { Counts } from './sim-coverage.ts';
import { optionsOf } from './sim-options.ts';
import { BrokenLaw, runSeed } from './sim-run.ts';
import type { WorldOptions } from './sim-world.ts';

/** What one seed came to; steps of a failing one are not counted. */
export interface Outcome {
  readonly seed: number;
  readonly failure: string | null;
  readonly steps: number;
  readonly calls: number;
  readonly kills: number;
  readonly covered: Counts;
}

export class Tally {
  readonly coverage = new Coverage();
  readonly failing: { readonly seed: number; readonly failure: string }[] = [];
  seeds = 0;
  steps = 0;
  calls = 0;
  kills = 0;

  add({ seed, failure, steps, calls, kills, covered }: Outcome): void {
    this.seeds += 1;
    this.steps += steps;
    this.calls += calls;
    this.kills += kills;
    this.coverage.add(covered);
    if (failure !== null) this.failing.push({ seed, failure });
  }
}

export async function outcomeOf(options: WorldOptions): Promise<Outcome> {
  const { seed } = options;
  try {
    return { seed, failure: null, ...(await runSeed(options)) };
  } catch (error) {
    if (!(error instanceof BrokenLaw)) throw error;
    return { seed, failure: error.reason, steps: 0, calls: 0, kills: 0, covered: {} };
  }
}

/** Plays seeds from `first` on, every `stride`th, until it is told that these are enough. */
export async function playSeeds(
  first: number,
  stride: number,
  isEnough: (outcome: Outcome) => boolean,
): Promise<void> {
  for (let seed = first; ; seed += stride) {
    if (isEnough(await outcomeOf(optionsOf(seed)))) return;
  }
}

/** The same by so many processes, each with its own share of the seeds; `module` is what they run. */
export async function playSeedsApart(
  module: URL,
  processes: number,
  first: number,
  isEnough: (outcome: Outcome) => boolean,
): Promise<void> {
  const children = Array.from({ length: processes }, (_, i) =>
    fork(module, [String(first + i), String(processes)], { serialization: 'advanced' }),
  );
  let enough = false;
  const ended = children.map(async (child) => {
    child.on('message', (outcome: Serializable) => {
      enough ||= isEnough(outcome as unknown as Outcome);
      if (enough) for (const one of children) one.kill();
    });
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (!enough) throw new Error(`a process that plays seeds ended with ${code ?? 'a signal'}`);
  });
  try {
    await Promise.all(ended);
  } finally {
    for (const child of children) child.kill();
  }
}
