/** What the simulated processes do: loops around the very steps that production runs. */
import { StalePositionError } from '../../src/domain/errors.ts';
import type { PartitionId, RecomputeTx, StateStore } from '../../src/domain/ports.ts';
import { ingestIsolating, retryIsolating } from '../../src/ingest/isolate.ts';
import type { IsolatingIngestDeps } from '../../src/ingest/isolate.ts';
import { runRelay } from '../../src/publish/relay.ts';
import { recomputeIsolating } from '../../src/recompute/isolate.ts';
import { ENDLESS } from '../../src/runtime/retry.ts';
import { sweep, sweepTransactions } from '../../src/recompute/sweep.ts';
import { advanceHorizon } from '../../src/scheduler/step.ts';
import { partitionKey } from './memory-database.ts';
import { isOutage } from './sim-world.ts';
import type { Main, Process, World } from './sim-world.ts';

/** Short beside the time for which a process may stand still. */
const LEASE_MS = 200;

/** Runs one round after the other; an outage ends a round, whatever else escapes it is a defect. */
async function rounds(round: () => Promise<void>, recover: (error: unknown) => void): Promise<void> {
  for (;;) {
    try {
      await round();
    } catch (error) {
      recover(error);
    }
  }
}

function onlyOutages(error: unknown): void {
  if (!isOutage(error)) throw error;
}

export function ingestDeps(world: World, { store, gate, actor }: Process): IsolatingIngestDeps {
  return {
    store,
    decoder: { decode: (record) => world.farm.decode(record, world.repaired) },
    deadLetters: world.deadLetterTopic(gate),
    requests: world.requests.sender(gate),
    clock: world.scheduler.clock(actor),
    settings: world.settings,
    wholeTransactions: true,
    isOutage,
  };
}

/** One member of the ingest group. It learns of a rebalance late, so two may own a partition for a while. */
export function ingestMain(world: World, index: number): Main {
  return async (process) => {
    const deps = ingestDeps(world, process);
    const { random } = world;
    const next = new Map<string, bigint>();
    let { owners } = world;
    await rounds(
      async () => {
        await process.gate('poll');
        if (owners !== world.owners && random.chance(0.1)) {
          ({ owners } = world);
          next.clear();
        }
        const ready = world.farm
          .partitions()
          .filter((at, i) => owners[i] === index && world.farm.end(at) > (next.get(partitionKey(at)) ?? 0n));
        if (ready.length === 0) {
          if (owners !== world.owners) {
            ({ owners } = world);
            next.clear();
          }
          return world.scheduler.clock(process.actor).sleep(300);
        }
        await ingestSome(world, process, deps, random.pick(ready), next);
      },
      (error) => {
        next.clear();
        if (!(error instanceof StalePositionError)) onlyOutages(error);
      },
    );
  };
}

async function ingestSome(
  world: World,
  process: Process,
  deps: IsolatingIngestDeps,
  at: PartitionId,
  next: Map<string, bigint>,
): Promise<void> {
  const key = partitionKey(at);
  const position = next.get(key) ?? (await process.store.positions([at]))[0] ?? 0n;
  // Now and then the log hands out records that were ingested before.
  const from = world.random.chance(0.1) && position > 0n ? position - 1n : position;
  const records = world.farm.read(at, from, world.random.int(1, 6));
  const results = await ingestIsolating(deps, at, records, position);
  next.set(key, results.at(-1)?.next ?? position);
}

export function recomputeMain(world: World): Main {
  return async (process) => {
    const clock = world.scheduler.clock(process.actor);
    const requests = world.requests.sender(process.gate);
    const deps = {
      store: watched(process.store, world),
      requests,
      clock,
      settings: world.settings,
      isOutage,
      onResult: () => undefined,
      onParked: () => undefined,
    };
    await rounds(async () => {
      await process.gate('poll');
      const ids = world.requests.take(4);
      if (ids.length === 0) return clock.sleep(200);
      if (await process.store.snapshotRunning(2_000)) return clock.sleep(100);
      await recomputeIsolating(deps, ids, { tries: 2, backoffMs: 20 });
    }, onlyOutages);
  };
}

/** The store, with assignments whose recompute fails by itself, and an eye on which are parked. */
function watched(store: StateStore, world: World): Pick<StateStore, 'recompute' | 'park'> {
  const failing = (tx: RecomputeTx): RecomputeTx =>
    new Proxy(tx, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'load') return value.bind(target) as unknown;
        return async (windows: Parameters<RecomputeTx['load']>[0]) => {
          const facts = await target.load(windows);
          if (windows.some(({ assignmentId }) => world.failing.has(assignmentId))) throw new Error('planted');
          return facts;
        };
      },
    });
  return {
    recompute: (work) => store.recompute((tx) => work(failing(tx))),
    park: (parked) => {
      if (parked.message !== 'planted') world.failures.push(new Error(`parked: ${parked.message}`));
      return store.park(parked);
    },
  };
}

export function relayMain(world: World, name: string, shards: number, shard: number): Main {
  return async (process) => {
    const clock = world.scheduler.clock(process.actor);
    const { sabotage } = world.options;
    const topic = world.published.producer(shard, process.gate, sabotage?.withoutFencing !== true);
    const deps = {
      store: process.store,
      topic,
      clock,
      events: {
        leader: () => undefined,
        standsBy: () => undefined,
        published: () => undefined,
        setAside: () => undefined,
        fenced: () => undefined,
        failed: (_shard: number, error: unknown) => {
          if (!isOutage(error)) world.failures.push(new Error('relay failed', { cause: error }));
        },
      },
      waitForWork: (ms: number, signal: AbortSignal) => clock.sleep(ms, signal),
    };
    const backoff = { ...ENDLESS, maxDelayMs: 250, jitter: 0 };
    const times = { leaseMs: LEASE_MS, pollMs: 150, standByMs: 250, stopMs: 0, backoff };
    const options = { shard, shards, batchEntries: 3, ...times };
    const owner = `${name}/${process.actor.name}`;
    await runRelay(deps, { ...options, owner }, new AbortController().signal);
  };
}

export function sweepMain(world: World): Main {
  return async (process) => {
    const deps = { store: process.store, requests: world.requests.sender(process.gate) };
    await rounds(async () => {
      await world.scheduler.clock(process.actor).sleep(400);
      // Nothing is given up before all is in: then it is whole, whatever was repeated.
      const limitMs = world.faulty || isBehind(world) ? Number.POSITIVE_INFINITY : 0;
      await sweepTransactions(deps, world.faulty ? 300 : 0, limitMs);
      await sweep(deps, world.faulty ? 300 : 0, 8);
    }, onlyOutages);
  };
}

/** Whether there are records that nobody has ingested. */
function isBehind({ farm, db }: World): boolean {
  return farm.partitions().some((at) => (db.positions.committed.get(partitionKey(at)) ?? 0n) < farm.end(at));
}

export function horizonMain(world: World): Main {
  return async (process) => {
    const clock = world.scheduler.clock(process.actor);
    const deps = { store: process.store, requests: world.requests.sender(process.gate), clock };
    await rounds(async () => {
      const goal = world.horizonGoal;
      await advanceHorizon(deps, world.faulty ? goal - world.random.int(0, 4) : goal, 3);
      await clock.sleep(world.random.int(100, 3_000));
    }, onlyOutages);
  };
}

/** An operator who tries dead letters again, and frees what was parked once its cause is gone. */
export function operatorMain(world: World): Main {
  return async (process) => {
    const deps = ingestDeps(world, process);
    await rounds(async () => {
      await world.scheduler.clock(process.actor).sleep(world.random.int(200, 1_500));
      const open = [...world.db.letters.committed.values()].filter((letter) => letter.state === 'open');
      if (open.length > 0) await retryIsolating(deps, world.random.pick(open).record);
      if (world.failing.size === 0 && world.db.parked.committed.size > 0) {
        world.db.parked.committed.clear();
        world.db.setAside.clear();
      }
    }, onlyOutages);
  };
}

/** The farm at work, the connector that repeats itself, rebalances, and everything that breaks or is mended. */
export function upstreamMain(world: World): Main {
  const { options, random, farm } = world;
  const rebalance = (): void => {
    world.owners = farm.partitions().map(() => random.int(0, options.ingests - 1));
  };
  rebalance();
  farm.populate(0.7, options.snapshot);
  return async ({ gate, actor }) => {
    for (;;) {
      const pause = random.int(0, 4);
      for (let i = 0; i < pause; i += 1) await gate('work');
      if (world.actionsLeft === 0) {
        world.failing.clear();
        await world.scheduler.clock(actor).sleep(1_000);
        continue;
      }
      world.actionsLeft -= 1;
      farm.act();
      if (random.chance(0.06)) farm.repeat(random.int(1, 15));
      if (random.chance(0.4)) rebalance();
      if (options.poison > 0 && random.chance(0.05)) world.repaired = true;
      if (random.chance(0.05)) world.failing.add(random.int(1, 7));
      if (random.chance(0.05)) world.failing.clear();
    }
  };
}
