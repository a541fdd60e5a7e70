/** One seed from beginning to end: a history under faults, quiet, and what must then be true. */
import { mapChange } from '../../src/source/registry.ts';
import { partitionKey } from './memory-database.ts';
import { assertFacts, assertLetters, assertPublished, assertRows, assertWhole } from './sim-checks.ts';
import { expectedFacts } from './sim-expected.ts';
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
import { World } from './sim-world.ts';
import type { WorldOptions } from './sim-world.ts';

const MOST_STEPS = 400_000;

export interface RunResult {
  readonly steps: number;
  readonly calls: number;
  readonly kills: number;
}

/** What a seed plays with, drawn from the seed as well: calm and stormy worlds, small and not so small. */
export function optionsOf(seed: number): WorldOptions {
  const random = new Random(seed ^ 0x5eed);
  if (random.chance(0.4)) return raceOptionsOf(seed);
  const stormy = random.chance(0.7);
  return {
    seed,
    faults: {
      kill: stormy ? random.next() * 0.01 : 0,
      outage: stormy ? random.next() * 0.02 : 0,
      freeze: random.next() * 0.02,
    },
    focus: [],
    episodes: random.int(1, 12),
    actions: random.pick([3, 10, 40]),
    days: random.int(6, 30),
    poison: random.chance(0.4) ? 0.08 : 0,
    partitions: random.int(1, 3),
    ingests: random.int(1, 3),
    recomputes: random.int(1, 3),
    shards: random.int(1, 2),
    relays: random.int(1, 2),
    snapshot: random.chance(0.3),
    settings: {
      timeZone: 'UTC',
      growthModel: random.pick(['auto', 'power', 'cube-root'] as const),
      recordedDeathsInCount: random.chance(0.3),
    },
  };
}

/** Kinds of change whose dirt hangs on each other. */
const ENTANGLED = [
  ['batch_batchcontainerassignment', 'batch_mortalityevent', 'inventory_feedingevent'],
  ['batch_batchcontainerassignment', 'environmental_environmentalreading', 'health_treatment'],
  ['batch_transferaction', 'batch_growthsample', 'batch_batchcontainerassignment'],
  ['batch_growthsample', 'batch_mortalityevent'],
  ['environmental_environmentalparameter', 'environmental_environmentalreading'],
  ['scenario', 'scenario_tgcmodel', 'batch_batch'],
] as const;

/** Many short times of work on few rows, by several of each process that often stand still when about to commit. */
export function raceOptionsOf(seed: number): WorldOptions {
  const random = new Random(seed ^ 0xace5);
  return {
    seed,
    faults: { kill: random.pick([0, 0.003]), outage: 0, freeze: 0.02 },
    focus: random.pick(ENTANGLED),
    episodes: 15,
    actions: 6,
    days: random.int(6, 12),
    poison: random.chance(0.2) ? 0.1 : 0,
    partitions: random.int(1, 2),
    ingests: 3,
    recomputes: 2,
    shards: 1,
    relays: 2,
    snapshot: false,
  };
}

/** Throws an Error that names seed, step and difference. */
export async function runSeed(options: WorldOptions): Promise<RunResult> {
  const world = new World(options);
  world.spawn('upstream', upstreamMain(world));
  for (let i = 0; i < options.ingests; i += 1) world.spawn(`ingest-${i}`, ingestMain(world, i));
  for (let i = 0; i < options.recomputes; i += 1) world.spawn(`recompute-${i}`, recomputeMain(world));
  for (let shard = 0; shard < options.shards; shard += 1) {
    for (let i = 0; i < options.relays; i += 1) {
      world.spawn(`relay-${shard}-${i}`, relayMain(world, `relay-${i}`, options.shards, shard));
    }
  }
  world.spawn('sweeper', sweepMain(world));
  world.spawn('scheduler', horizonMain(world));
  world.spawn('operator', operatorMain(world));
  try {
    for (let episode = 1; episode <= options.episodes; episode += 1) {
      await playEpisode(world, world.farm.life.to + 2 - options.episodes + episode);
    }
  } catch (error) {
    const hint = `seed ${options.seed} at step ${world.stepsTaken}: run it alone with SIM_SEED=${options.seed} npm run test:sim`;
    throw new Error(`${(error as Error).message}\n${hint}`, { cause: error });
  }
  return { steps: world.stepsTaken, calls: world.calls, kills: world.kills };
}

async function playEpisode(world: World, horizonGoal: number): Promise<void> {
  const { random } = world;
  world.unsettle();
  world.horizonGoal = horizonGoal;
  world.actionsLeft = random.int(1, world.options.actions);
  while (world.actionsLeft > 0) await stepOf(world);
  for (let more = random.int(0, 400); more > 0; more -= 1) await stepOf(world);
  world.heal();
  while (!isQuiet(world)) await stepOf(world);
  checkAll(world);
}

async function stepOf(world: World): Promise<void> {
  if (!(await world.step())) throw new Error('everybody waits for ever');
  const [failure] = world.failures;
  if (failure !== undefined) throw failure;
  if (world.stepsTaken > MOST_STEPS) throw new Error(`not quiet: ${JSON.stringify(unrest(world))}`);
}

function isQuiet(world: World): boolean {
  // Most often this alone tells.
  if (world.db.dirt.committed.size + world.db.publications.committed.size > 0) return false;
  return Object.values(unrest(world)).every((count) => count === 0) && openLetters(world) === 0;
}

/** What still has to be done. */
function unrest({ db, farm, horizonGoal }: World): Record<string, number> {
  const behind = farm
    .partitions()
    .filter((at) => (db.positions.committed.get(partitionKey(at)) ?? 0n) < farm.end(at));
  return {
    behind: behind.length,
    dirt: db.dirt.committed.size,
    publications: db.publications.committed.size,
    horizon: db.horizon === horizonGoal ? 0 : 1,
    parked: db.parked.committed.size,
  };
}

/** Open dead letters that another attempt will ingest. */
function openLetters({ db, farm, settings, repaired }: World): number {
  let count = 0;
  for (const { record, state } of db.letters.committed.values()) {
    if (state !== 'open') continue;
    const decoded = farm.decode(record, repaired);
    if (decoded.kind === 'change' && mapChange(decoded, settings).ok) count += 1;
  }
  return count;
}

function checkAll(world: World): void {
  const expected = expectedFacts(world.farm, world.settings, world.repaired);
  assertFacts(world.db, expected);
  assertLetters(world, expected);
  assertRows(world.db, world.settings, expected);
  assertPublished(world);
  assertWhole(world);
}
