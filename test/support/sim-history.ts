/** Small histories without faults: any order and batching of changes through the steps, then a look at everything. */
import type { Id } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { ingestBatch } from '../../src/ingest/step.ts';
import type { IngestDeps } from '../../src/ingest/step.ts';
import { recomputeAssignments } from '../../src/recompute/step.ts';
import { MemoryDatabase } from './memory-database.ts';
import { MemoryStore } from './memory-store.ts';
import { assertFacts, assertRows } from './sim-checks.ts';
import { expectedFacts } from './sim-expected.ts';
import { SimFarm } from './sim-farm.ts';
import type { SimPartition } from './sim-farm.ts';
import { Random } from './sim-random.ts';

/** Plays one history; throws an Error that names the first difference from one full pass. */
export async function playHistory(seed: number): Promise<void> {
  const random = new Random(seed);
  const farm = new SimFarm(random, {
    days: random.int(3, 14),
    partitions: random.int(1, 2),
    poison: 0,
    focus: [],
  });
  const settings: EngineSettings = { ...DEFAULT_ENGINE_SETTINGS, recordedDeathsInCount: random.chance(0.3) };
  const db = new MemoryDatabase();
  const store = new MemoryStore(db, { nowMs: () => 0 });
  const requests = { request: () => Promise.resolve() };
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve() };
  const ingest: IngestDeps = {
    store,
    decoder: { decode: (record) => farm.decode(record, true) },
    deadLetters: { send: () => Promise.resolve() },
    requests,
    clock,
    settings,
  };
  const positionOf = async (at: SimPartition): Promise<bigint> => (await store.positions([at]))[0] as bigint;

  farm.populate(random.next() * 0.8, random.chance(0.2));
  let actions = random.int(1, 15);
  const positions = new Map<SimPartition, bigint>();
  for (const at of farm.partitions()) positions.set(at, await positionOf(at));
  for (;;) {
    const behind = [...positions.keys()].filter((at) => at.visible > Number(positions.get(at)));
    const dirty = [...new Set([...db.dirt.committed.values()].map((dirt) => dirt.assignmentId))];
    const horizonBehind = db.horizon !== farm.life.to + 1;
    if (actions === 0 && behind.length === 0 && dirty.length === 0 && !horizonBehind) break;
    const choice = random.weighted({
      act: actions > 0 ? 2 : 0,
      ingest: behind.length > 0 ? 12 : 0,
      recompute: dirty.length > 0 ? 2 : 0,
      horizon: horizonBehind ? 0.3 : 0,
    });
    if (choice === 'act') {
      actions -= 1;
      farm.act();
    } else if (choice === 'ingest') {
      const at = random.pick(behind);
      const position = positions.get(at) as bigint;
      const records = farm.read(at, position, random.int(1, 8));
      positions.set(at, (await ingestBatch(ingest, at, records, position)).next);
    } else if (choice === 'recompute') {
      const ids: Id[] = random.shuffled(dirty).slice(0, random.int(1, 3));
      await recomputeAssignments({ store, requests, clock, settings }, ids);
    } else {
      await store.moveHorizon(Math.min(farm.life.to + 1, farm.life.from + random.int(0, 20)), 3, 0);
    }
  }
  const expected = expectedFacts(farm, settings, true);
  assertFacts(db, expected);
  assertRows(db, settings, expected);
}
