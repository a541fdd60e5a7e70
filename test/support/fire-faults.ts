/** What goes wrong while a farm is written to, one thing after the other, from a seed; each undoes what it did. */
import type { Role } from '../../src/compose/run.ts';
import type { StackProvider } from '../../src/stack/provider.ts';
import type { FireProxy } from './fire-proxy.ts';
import type { Pipeline } from './pipeline.ts';
import type { PipelineProcess } from './pipeline-process.ts';
import type { PostgresServer } from './postgres-server.ts';
import type { Random } from './sim-random.ts';
import type { SmallDisk } from './small-disk.ts';
import { ALL_ROLES } from './pipeline.ts';

export interface FireWorld {
  readonly farm: Pipeline;
  readonly provider: StackProvider;
  readonly store: PostgresServer;
  readonly proxy: FireProxy;
  readonly disk: SmallDisk;
  readonly random: Random;
  /** Resolves after so many ms. */
  readonly wait: (ms: number) => Promise<void>;
  readonly starting: Promise<unknown>[];
}

type Fault = (world: FireWorld) => Promise<void>;

/** Between them all roles are always somebody's. */
const CREWS: readonly (readonly Role[])[] = [
  ALL_ROLES,
  ['ingest', 'recompute'],
  ['recompute', 'publish'],
  ['ingest', 'publish', 'scheduler'],
];
const FEWEST = 2;
const MOST = 4;

/** So many processes run, one of them with all roles. */
export function crew(world: FireWorld): void {
  const { farm, random, starting } = world;
  const roles = farm.running.map((process) => process.roles.length);
  const wanted = random.int(FEWEST, MOST);
  if (!roles.includes(ALL_ROLES.length)) starting.push(started(farm.start(ALL_ROLES)));
  for (let count = roles.length + 1; count < wanted; count += 1) {
    starting.push(started(farm.start(random.pick(CREWS))));
  }
}

/** A process whose start a fault hits may end: the next crew replaces it. */
async function started(starting: Promise<PipelineProcess>): Promise<void> {
  await starting.catch(() => undefined);
}

function victim({ farm, random }: FireWorld): PipelineProcess | null {
  return farm.running.length === 0 ? null : random.pick(farm.running);
}

const kill: Fault = async (world) => {
  await victim(world)?.kill();
  crew(world);
};

const killAll: Fault = async (world) => {
  await Promise.all(world.farm.running.map((process) => process.kill()));
  crew(world);
};

const stop: Fault = async (world) => {
  await victim(world)?.stop();
  crew(world);
};

/** Longer than a session, so that its partitions are another's when it goes on. */
const pause: Fault = async (world) => {
  const still = victim(world);
  still?.pause();
  await world.wait(world.random.int(1, 12) * 1_000);
  still?.resume();
};

const crash =
  (component: 'kafka' | 'connect' | 'registry' | 'postgres'): Fault =>
  async ({ provider, wait, random }) => {
    await provider.kill(component);
    await wait(random.int(0, 4_000));
    await provider.start();
  };

const storeCrash: Fault = async ({ store, wait, random }) => {
  await store.crash();
  await wait(random.int(0, 5_000));
  await store.restart();
};

const storeSlow: Fault = async ({ proxy, wait, random }) => {
  proxy.weather = 'slow';
  await wait(random.int(1_000, 6_000));
  proxy.weather = 'fine';
};

const storeSilent: Fault = async ({ proxy, wait, random }) => {
  proxy.weather = 'silent';
  await wait(random.int(1_000, 8_000));
  proxy.weather = 'fine';
};

const storeCut: Fault = async ({ proxy }) => proxy.cutAll();

const commitCut: Fault = async ({ proxy, wait, random }) => {
  proxy.cutCommits(random.int(1, 6));
  await wait(1_000);
};

const diskFull: Fault = async ({ disk, store, wait, random }) => {
  if (!disk.isSmall) return;
  disk.fill();
  await wait(random.int(1_000, 5_000));
  disk.free();
  // It may have ended itself, for want of a place for its log.
  await store.restart();
};

const FAULTS = {
  kill,
  killAll,
  stop,
  pause,
  connect: crash('connect'),
  kafka: crash('kafka'),
  registry: crash('registry'),
  source: crash('postgres'),
  storeCrash,
  storeSlow,
  storeSilent,
  storeCut,
  commitCut,
  diskFull,
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

const WEIGHTS: Record<FaultName, number> = {
  kill: 6,
  killAll: 2,
  stop: 1,
  pause: 4,
  connect: 1,
  kafka: 1,
  registry: 1,
  source: 1,
  storeCrash: 2,
  storeSlow: 2,
  storeSilent: 2,
  storeCut: 3,
  commitCut: 5,
  diskFull: 1,
};

/** Each once in an order of the seed's, then as the weights have it: a short fire has met them all. */
export class Faults {
  readonly #world: FireWorld;
  readonly #left: FaultName[];
  readonly counts = new Map<FaultName, number>();

  constructor(world: FireWorld) {
    this.#world = world;
    this.#left = world.random.shuffled(Object.keys(FAULTS) as FaultName[]);
  }

  /** Of the first round, those that are still to come. */
  get left(): number {
    return this.#left.length;
  }

  async next(): Promise<FaultName> {
    const name = this.#left.pop() ?? this.#world.random.weighted(WEIGHTS);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    await FAULTS[name](this.#world);
    return name;
  }
}
