/** What the simulated processes do: loops around the very steps that production runs. */
import type { Decoded, SourceRecord } from '../../src/domain/cdc.ts';
import { StalePositionError } from '../../src/domain/errors.ts';
import type { RecomputeTx, StateStore } from '../../src/domain/ports.ts';
import { ingestIsolating, retryIsolating } from '../../src/ingest/isolate.ts';
import type { IsolatingIngestDeps } from '../../src/ingest/isolate.ts';
import type { IngestResult } from '../../src/ingest/step.ts';
import { runRelay } from '../../src/publish/relay.ts';
import { recomputeIsolating } from '../../src/recompute/isolate.ts';
import type { RecomputeResult } from '../../src/recompute/step.ts';
import { sweep, sweepTransactions } from '../../src/recompute/sweep.ts';
import { ENDLESS } from '../../src/runtime/retry.ts';
import { advanceHorizon } from '../../src/scheduler/step.ts';
import type { Coverage } from './sim-coverage.ts';
import type { SimPartition } from './sim-farm.ts';
import type { Actor } from './sim-scheduler.ts';
import { isOutage } from './sim-world.ts';
import type { Main, Process, World } from './sim-world.ts';

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
  const { farm, options, random } = world;
  const decode = (record: SourceRecord): Decoded => farm.decode(record, world.repaired);
  const deps: IsolatingIngestDeps = {
    store,
    decoder: {
      decode: (record) => {
        // A schema that this process has not met yet.
        if (!world.faulty || !random.chance(0.1)) return decode(record);
        return gate('registry.decode').then(() => decode(record));
      },
    },
    deadLetters: world.deadLetterTopic(gate),
    requests: world.requests.sender(gate),
    clock: world.scheduler.clock(actor),
    settings: world.settings,
    wholeTransactions: true,
    isOutage,
  };
  return options.sabotage?.ingest?.(deps, world) ?? deps;
}

/** One member of the ingest group. It learns of a rebalance late, so two may own a partition for a while. */
export function ingestMain(world: World, index: number): Main {
  return async (process) => {
    const deps = ingestDeps(world, process);
    const { random, coverage, farm } = world;
    /** Next offsets of the partitions that it believes its own. */
    const next = new Map<SimPartition, number>();
    let owners: readonly number[] | null = null;
    const isOld = (): boolean => owners !== world.owners;
    await rounds(
      async () => {
        await process.gate('poll');
        if (owners === null || (isOld() && random.chance(0.1))) {
          next.clear();
          const { owners: now } = world;
          const owned = farm.partitions().filter((_, i) => now[i] === index);
          const positions = await process.store.positions(owned);
          owned.forEach((at, i) => next.set(at, Number(positions[i])));
          owners = now;
        }
        const ready: SimPartition[] = [];
        for (const [at, position] of next) if (at.visible > position) ready.push(at);
        if (ready.length === 0) {
          if (isOld()) owners = null;
          return world.scheduler.clock(process.actor).sleep(300);
        }
        const at = random.pick(ready);
        if (isOld() && world.owners[farm.partitions().indexOf(at)] !== index) {
          coverage.hit('two owners of a partition');
        }
        const placeOf = (p: SimPartition): number => p.log[next.get(p) ?? 0]?.place ?? 0;
        if (ready.some((other) => placeOf(other) < placeOf(at))) coverage.hit('log: partitions out of order');
        await ingestSome(world, deps, at, next);
      },
      (error) => {
        owners = null;
        if (!(error instanceof StalePositionError)) onlyOutages(error);
        else coverage.hit('ingest: stale owner turned away');
      },
    );
  };
}

async function ingestSome(
  world: World,
  deps: IsolatingIngestDeps,
  at: SimPartition,
  next: Map<SimPartition, number>,
): Promise<void> {
  const { random, coverage } = world;
  const position = BigInt(next.get(at) ?? 0);
  // Now and then the log hands out records that were ingested before.
  const repeats = random.chance(0.1) && position > 0n;
  const limit = random.int(1, 6);
  const records = world.farm.read(at, repeats ? position - 1n : position, limit);
  if (repeats) coverage.hit('log: records repeated');
  if (at.visible - Number(position) > limit) coverage.hit('log: batch cut short');
  const results = await ingestIsolating(deps, at, records, position);
  for (const result of results) noteIngested(coverage, result);
  if (results.length > 1) coverage.hit('ingest: batch halved');
  next.set(at, Number(results.at(-1)?.next ?? position));
}

function noteIngested(coverage: Coverage, { plan, effective, dirtied, letters }: IngestResult): void {
  if (plan.counts.repeated > 0) coverage.hit('ingest: records below the position skipped');
  if (letters.length > 0) coverage.hit('ingest: set aside');
  coverage.hit(dirtied.length > 0 ? 'ingest: dirt' : 'ingest: no dirt');
  if (effective === 0) coverage.hit('ingest: nothing differed');
}

export function recomputeMain(world: World): Main {
  return async (process) => {
    const clock = world.scheduler.clock(process.actor);
    const { coverage, requests } = world;
    const deps = {
      store: watched(process.store, world),
      requests: requests.sender(process.gate),
      clock,
      settings: world.settings,
      isOutage,
      onResult: (result: RecomputeResult) => noteRecomputed(coverage, result),
      onParked: () => coverage.hit('recompute: parked'),
    };
    await rounds(async () => {
      await process.gate('poll');
      const ids = requests.take(4);
      if (ids.length === 0) return clock.sleep(200);
      if (await process.store.snapshotRunning(2_000)) {
        coverage.hit('recompute: held back by a snapshot');
        return clock.sleep(100);
      }
      await recomputeIsolating(deps, ids, { tries: 2, backoffMs: 20 });
    }, onlyOutages);
  };
}

function noteRecomputed(coverage: Coverage, result: RecomputeResult): void {
  const { recomputed, inserted, updated, deleted, dirtied, anomalies } = result;
  if (recomputed.length === 0) coverage.hit('recompute: dirt was taken already');
  else if (inserted + updated + deleted === 0) coverage.hit('recompute: nothing differed');
  if (inserted > 0) coverage.hit('recompute: inserted');
  if (updated > 0) coverage.hit('recompute: updated');
  if (deleted > 0) coverage.hit('recompute: deleted');
  if (dirtied.length > 0) coverage.hit('recompute: destinations dirtied');
  if (anomalies.size > 0) coverage.hit('recompute: anomalies');
}

/** The store, with assignments whose recompute fails by itself, and an eye on which are parked. */
function watched(store: StateStore, world: World): Pick<StateStore, 'recompute' | 'park'> {
  const failing = (tx: RecomputeTx): RecomputeTx => {
    if (world.failing.size === 0) return tx;
    return new Proxy(tx, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'load') return value.bind(target) as unknown;
        return async (windows: Parameters<RecomputeTx['load']>[0]) => {
          const facts = await target.load(windows);
          if (windows.some(({ assignmentId }) => world.failing.has(assignmentId))) {
            world.coverage.hit('recompute: failed by itself');
            if (windows.length > 1) world.coverage.hit('recompute: batch split');
            throw new Error('planted');
          }
          return facts;
        };
      },
    });
  };
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
    const { coverage, unfit, leaders } = world;
    const { sabotage, leaseMs } = world.options;
    const fencing = sabotage?.withoutFencing !== true;
    const topic = world.published.producer(shard, process.gate, { fencing, coverage, unfit });
    const deps = {
      store: process.store,
      topic: sabotage?.topic?.(topic, world) ?? topic,
      clock,
      events: {
        leader: (_shard: number, leading: boolean) => {
          coverage.hit(leading ? 'publish: led' : 'publish: stepped down');
          noteLeader(leaders, coverage, shard, process.actor, leading);
        },
        standsBy: () => coverage.hit('publish: stood by'),
        published: () => undefined,
        setAside: () => coverage.hit('publish: set aside'),
        fenced: () => coverage.hit('publish: fenced'),
        failed: (_shard: number, error: unknown) => {
          coverage.hit('publish: failed');
          if (!isOutage(error)) world.failures.push(new Error('relay failed', { cause: error }));
        },
      },
      waitForWork: (ms: number, signal: AbortSignal) => clock.sleep(ms, signal),
    };
    const backoff = { ...ENDLESS, maxDelayMs: 250, jitter: 0 };
    const times = { leaseMs, pollMs: 150, standByMs: 250, stopMs: 0, backoff };
    const options = { shard, shards, batchEntries: 3, ...times };
    const owner = `${name}/${process.actor.name}`;
    await runRelay(deps, { ...options, owner }, new AbortController().signal);
  };
}

function noteLeader(
  leaders: World['leaders'],
  coverage: Coverage,
  shard: number,
  actor: Actor,
  leading: boolean,
): void {
  const known = leaders.get(shard) ?? new Set<Actor>();
  leaders.set(shard, known);
  if (!leading) {
    known.delete(actor);
    return;
  }
  for (const other of known) if (!other.alive) known.delete(other);
  known.add(actor);
  if (known.size > 1) coverage.hit('two leaders of a shard');
}

export function sweepMain(world: World): Main {
  return async (process) => {
    const deps = { store: process.store, requests: world.requests.sender(process.gate) };
    await rounds(async () => {
      await world.scheduler.clock(process.actor).sleep(400);
      // Nothing is given up before all is in: then it is whole, whatever was repeated.
      const limitMs = world.faulty || isBehind(world) ? Number.POSITIVE_INFINITY : 0;
      await sweepTransactions(deps, world.faulty ? 300 : 0, limitMs);
      const found = await sweep(deps, world.faulty ? 300 : 0, 8);
      if (found.length > 0) world.coverage.hit('sweep: found dirt');
    }, onlyOutages);
  };
}

/** Whether there are records that nobody has ingested. */
function isBehind({ farm, db }: World): boolean {
  const { committed } = db.positions;
  return farm.partitions().some(({ key, log }) => Number(committed.get(key) ?? 0n) < log.length);
}

export function horizonMain(world: World): Main {
  return async (process) => {
    const clock = world.scheduler.clock(process.actor);
    const deps = { store: process.store, requests: world.requests.sender(process.gate), clock };
    if (world.options.schedulers > 1) world.coverage.hit('two schedulers');
    await rounds(async () => {
      const goal = world.horizonGoal;
      const today = world.faulty ? goal - world.random.int(0, 4) : goal;
      const move = await advanceHorizon(deps, today, 3);
      world.coverage.hit(move === null ? 'horizon: there already' : 'horizon: moved');
      await clock.sleep(world.random.int(100, 3_000));
    }, onlyOutages);
  };
}

/** An operator who tries dead letters again, and frees what was parked once its cause is gone. */
export function operatorMain(world: World): Main {
  const outcomes = {
    ingested: 'retry: ingested',
    superseded: 'retry: superseded',
    refused: 'retry: refused',
  } as const;
  return async (process) => {
    const deps = ingestDeps(world, process);
    await rounds(async () => {
      await world.scheduler.clock(process.actor).sleep(world.random.int(200, 1_500));
      const open = [...world.db.letters.committed.values()].filter((letter) => letter.state === 'open');
      if (open.length > 0) {
        const { kind } = await retryIsolating(deps, world.random.pick(open).record);
        world.coverage.hit(outcomes[kind]);
      }
      if (world.failing.size + world.unfit.size === 0 && world.db.parked.committed.size > 0) {
        world.db.parked.committed.clear();
        world.db.setAside.clear();
        world.db.publicationsAside.clear();
      }
    }, onlyOutages);
  };
}

/** The farm at work, the connector that repeats itself, rebalances, and everything that breaks or is mended. */
export function upstreamMain(world: World): Main {
  const { options, random, farm } = world;
  rebalance(world);
  farm.populate(options.population, options.snapshot);
  return async ({ gate, actor }) => {
    for (;;) {
      const pause = random.int(0, 4);
      for (let i = 0; i < pause; i += 1) await gate('work');
      if (world.actionsLeft === 0) {
        await world.scheduler.clock(actor).sleep(1_000);
        continue;
      }
      await gate('work');
      if (world.actionsLeft > 0) operate(world);
    }
  };
}

/** One transaction of the operators, and what else happens on such a day. */
function operate(world: World): void {
  const { options, random, farm, coverage } = world;
  world.actionsLeft -= 1;
  if (farm.act() > 1) coverage.hit('upstream: transaction of several rows');
  if (world.repeatsLeft > 0 && random.chance(0.06)) {
    world.repeatsLeft -= 1;
    farm.repeat(random.int(1, 15));
    coverage.hit('connector: repeated itself');
  }
  if (random.chance(0.4)) rebalance(world);
  if (options.poison > 0 && random.chance(0.05)) world.repaired = true;
  if (random.chance(0.05)) world.failing.add(random.int(1, 7));
  if (random.chance(0.05)) world.failing.clear();
  if (random.chance(0.05)) world.unfit.add(random.int(1, 7));
  if (random.chance(0.05)) world.unfit.clear();
  if (random.chance(0.1)) {
    farm.hold(random.pick(farm.partitions()));
    coverage.hit('log: records late');
  } else if (random.chance(0.3)) farm.letGo();
  if (options.compacting && random.chance(0.2)) {
    for (const at of farm.partitions()) coverage.hit('log: compacted', farm.compact(at));
  }
}

function rebalance(world: World): void {
  const last = world.options.ingests - 1;
  world.owners = world.farm.partitions().map(() => world.random.int(0, last));
}
