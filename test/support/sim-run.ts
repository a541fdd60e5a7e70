/** One seed from beginning to end: a history under faults, quiet, and what must then be true. */
import { setImmediate } from 'node:timers/promises';
import { mapChange } from '../../src/source/registry.ts';
import { assertFacts, assertLetters, assertPublished, assertRows, assertWhole } from './sim-checks.ts';
import { assertConserved } from './sim-conserved.ts';
import type { Counts } from './sim-coverage.ts';
import { expectedFacts, isRefused } from './sim-expected.ts';
import { ByChance, InTurns } from './sim-policy.ts';
import type { Policy } from './sim-policy.ts';
import {
  horizonMain,
  ingestMain,
  operatorMain,
  recomputeMain,
  relayMain,
  sweepMain,
  upstreamMain,
} from './sim-processes.ts';
import { Random } from './sim-random.ts';
import { isStep } from './sim-trace.ts';
import type { Step, TraceEntry } from './sim-trace.ts';
import { World } from './sim-world.ts';
import type { Witness, WorldOptions } from './sim-world.ts';

const MOST_STEPS = 400_000;
/** Steps under faults once the operators have done their work: most of what they caused is done there. */
const MOST_AFTERWARDS = 1_200;

export interface RunResult {
  readonly steps: number;
  readonly calls: number;
  readonly kills: number;
  readonly covered: Counts;
}

/** A seed at which the law was broken. */
export class BrokenLaw extends Error {
  readonly reason: string;

  constructor(world: World, cause: unknown) {
    const { seed } = world.options;
    const reason = reasonOf(cause);
    super(`${reason}\nseed ${seed} at step ${world.stepsTaken}: npm run sim -- --seed ${seed}`, { cause });
    this.reason = reason;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

/** Throws BrokenLaw. What happened is written to `record`, so that it can be played again. */
export async function runSeed(options: WorldOptions, record?: TraceEntry[]): Promise<RunResult> {
  // Steps are told apart by microtasks: begin in one.
  await setImmediate();
  const world = inhabited(options);
  const random = new Random(options.seed ^ 0xca5e);
  const policy = new ByChance(random, options.faults, world.coverage);
  try {
    for (let episode = 1; episode <= options.episodes; episode += 1) {
      begin(world, episode);
      record?.push({ mark: 'begin', episode });
      while (world.actionsLeft > 0) await stepOf(world, policy, record);
      for (let more = random.int(0, MOST_AFTERWARDS); more > 0; more -= 1)
        await stepOf(world, policy, record);
      await world.heal();
      record?.push({ mark: 'heal' });
      while (!isQuiet(world)) await stepOf(world, policy, record);
      checkAll(world);
      record?.push({ mark: 'check' });
    }
  } catch (error) {
    throw new BrokenLaw(world, error);
  }
  return resultOf(world);
}

/** Plays what was recorded, or a part of it; afterwards everything is healed and looked at. Throws BrokenLaw. */
export async function replay(
  options: WorldOptions,
  trace: readonly TraceEntry[],
  witness?: Witness,
): Promise<RunResult> {
  await setImmediate();
  const world = inhabited(options, witness);
  try {
    for (const entry of trace) {
      if (isStep(entry)) {
        await world.letTimePass();
        if (world.canStep(entry.role)) await checked(world, () => world.step(asBefore(entry)));
        continue;
      }
      witness?.mark(entry.mark);
      if (entry.mark === 'begin') begin(world, entry.episode);
      else if (entry.mark === 'heal') await world.heal();
      else await settle(world);
    }
    witness?.mark('check');
    await settle(world);
  } catch (error) {
    throw new BrokenLaw(world, error);
  }
  return resultOf(world);
}

function asBefore({ role, label, salt, tookMs, fault }: Step): Policy {
  return {
    next: ({ gates }) => {
      const own = gates.filter(({ actor }) => actor.role === role);
      const gate = own.find((candidate) => candidate.label === label) ?? own[0];
      return gate === undefined ? null : { gate, salt, fault, tookMs };
    },
  };
}

async function settle(world: World): Promise<void> {
  const policy = new InTurns(new Random(world.options.seed));
  await world.heal();
  while (!isQuiet(world)) await stepOf(world, policy);
  checkAll(world);
}

/** Everybody at work, and the farm as it was to begin with. */
function inhabited(options: WorldOptions, witness?: Witness): World {
  const world = new World(options, witness);
  world.spawn('upstream', upstreamMain(world));
  for (let i = 0; i < options.ingests; i += 1) world.spawn(`ingest-${i}`, ingestMain(world, i));
  for (let i = 0; i < options.recomputes; i += 1) world.spawn(`recompute-${i}`, recomputeMain(world));
  for (let shard = 0; shard < options.shards; shard += 1) {
    for (let i = 0; i < options.relays; i += 1) {
      world.spawn(`relay-${shard}-${i}`, relayMain(world, `relay-${i}`, options.shards, shard));
    }
  }
  world.spawn('sweeper', sweepMain(world));
  for (let i = 0; i < options.schedulers; i += 1) world.spawn(`scheduler-${i}`, horizonMain(world));
  world.spawn('operator', operatorMain(world));
  world.horizonGoal = goalOf(world, 1);
  return world;
}

function goalOf({ farm, options }: World, episode: number): number {
  return farm.life.to + 2 - options.episodes + episode;
}

function begin(world: World, episode: number): void {
  world.unsettle();
  world.horizonGoal = goalOf(world, episode);
  world.repeatsLeft = world.options.repeats;
  world.actionsLeft = new Random(world.options.seed + episode * 7919).int(1, world.options.actions);
}

async function stepOf(world: World, policy: Policy, record?: TraceEntry[]): Promise<void> {
  const beforeMs = world.scheduler.nowMs();
  const choice = await checked(world, () => world.step(policy));
  if (choice === null) throw new Error('everybody waits for ever');
  const { gate, salt, fault } = choice;
  const tookMs = world.scheduler.nowMs() - beforeMs;
  record?.push({ role: gate.actor.role, label: gate.label, salt, tookMs, fault });
}

async function checked<T>(world: World, step: () => Promise<T>): Promise<T> {
  const made = await step();
  const [failure] = world.failures;
  if (failure !== undefined) throw failure;
  if (world.stepsTaken > MOST_STEPS) throw new Error(`not quiet: ${JSON.stringify(unrest(world))}`);
  // Timers and messages of the real world have their turn as well.
  if (world.stepsTaken % 4096 === 0) await setImmediate();
  return made;
}

function isQuiet(world: World): boolean {
  const { db, horizonGoal } = world;
  if (db.dirt.committed.size + db.publications.committed.size + db.parked.committed.size > 0) return false;
  return db.horizon === horizonGoal && partitionsBehind(world) === 0 && openLetters(world) === 0;
}

function partitionsBehind({ db, farm }: World): number {
  let behind = 0;
  for (const { key, log } of farm.partitions()) {
    if (log.length > 0 && Number(db.positions.committed.get(key) ?? 0n) < log.length) behind += 1;
  }
  return behind;
}

/** What still has to be done. */
function unrest(world: World): Record<string, number> {
  const { db, horizonGoal } = world;
  return {
    behind: partitionsBehind(world),
    dirt: db.dirt.committed.size,
    publications: db.publications.committed.size,
    horizon: db.horizon === horizonGoal ? 0 : 1,
    parked: db.parked.committed.size,
    letters: openLetters(world),
  };
}

/** Open dead letters that another attempt will ingest. */
function openLetters({ db, farm, settings, repaired }: World): number {
  let count = 0;
  for (const { record, state } of db.letters.committed.values()) {
    if (state !== 'open') continue;
    const decoded = farm.decode(record, repaired);
    if (decoded.kind !== 'change') continue;
    const mapped = mapChange(decoded, settings);
    if (mapped.ok && !isRefused(mapped.change)) count += 1;
  }
  return count;
}

function checkAll(world: World): void {
  const expected = expectedFacts(world.farm, world.settings, world.repaired);
  assertFacts(world.db, expected);
  assertLetters(world, expected);
  assertRows(world.db, world.settings, expected);
  assertConserved(world.db, expected);
  assertPublished(world);
  // What comes again before all of it was ingested once is told apart by nobody: its halves may show for a while.
  if (world.options.repeats === 0) assertWhole(world);
}

function resultOf(world: World): RunResult {
  const { stepsTaken: steps, calls, kills, coverage, db } = world;
  coverage.hit('lock: waited for', db.locks.waits);
  return { steps, calls, kills, covered: coverage.counts };
}
