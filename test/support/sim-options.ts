/** What a seed plays with, drawn from the seed as well: calm and stormy worlds, small and not so small. */
import { CALM } from './sim-faults.ts';
import type { FaultRates } from './sim-faults.ts';
import { Random } from './sim-random.ts';
import type { WorldOptions } from './sim-world.ts';

export function optionsOf(seed: number): WorldOptions {
  const random = new Random(seed ^ 0x5eed);
  if (random.chance(0.4)) return raceOptionsOf(seed);
  return {
    seed,
    faults: random.chance(0.7) ? storm(random) : { ...CALM, freeze: random.next() * 0.02 },
    focus: [],
    episodes: random.int(1, 12),
    actions: random.pick([3, 10, 40]),
    days: random.int(6, 30),
    population: 0.7,
    // Of a record that cannot be used and took the place of a good one, nothing is left to go by.
    ...random.pick([
      { poison: 0, compacting: false },
      { poison: 0.08, compacting: false },
      { poison: 0, compacting: true },
    ]),
    partitions: random.int(1, 3),
    repeats: random.pick([0, 1, 100]),
    ingests: random.int(1, 3),
    recomputes: random.int(1, 3),
    shards: random.int(1, 2),
    relays: random.int(1, 2),
    leaseMs: random.pick([200, 3_000]),
    schedulers: random.int(1, 2),
    snapshot: random.chance(0.3),
    settings: {
      timeZone: 'UTC',
      growthModel: random.pick(['auto', 'power', 'cube-root'] as const),
      recordedDeathsInCount: random.chance(0.3),
    },
  };
}

/** Each fault in most storms, none in all of them: what one hides another one shows. */
function storm(random: Random): FaultRates {
  const some = (most: number): number => (random.chance(0.7) ? random.next() * most : 0);
  return {
    kill: some(0.01),
    outage: some(0.03),
    doubt: some(0.05),
    linger: some(0.01),
    clock: some(0.005),
    freeze: some(0.02),
    hold: some(0.1),
    late: some(0.02),
    away: some(0.002),
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
    faults: {
      ...CALM,
      kill: random.pick([0, 0.003]),
      outage: random.pick([0, 0.003]),
      freeze: random.pick([0, 0.01]),
      hold: random.pick([0.1, 0.3]),
    },
    focus: random.pick(ENTANGLED),
    episodes: 15,
    actions: 6,
    days: random.int(6, 12),
    population: 0.7,
    poison: random.chance(0.2) ? 0.1 : 0,
    partitions: random.int(1, 2),
    compacting: false,
    repeats: random.pick([0, 1, 100]),
    ingests: 3,
    recomputes: 2,
    shards: 1,
    relays: 2,
    leaseMs: random.pick([200, 2_000]),
    schedulers: 1,
    snapshot: false,
  };
}
