import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import type { StoredRows } from '../../src/domain/rows.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import { dirtOf } from '../../src/source/registry.ts';
import type { KeptAnomaly } from '../../src/store/anomalies.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { statesOf } from '../support/engine-rows.ts';
import { FARM_KINDS, assembleFarm } from '../support/farm-arbitrary.ts';
import type { Farm } from '../support/farm-arbitrary.ts';
import { settleStore } from '../support/settle-store.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { farms } from '../support/store-conformance-facts.ts';
import { writeFarm } from '../support/store-facts.ts';

/** Those with the most rows of some dozen: many farms end before they began. */
function richFarms(count: number): Farm[] {
  const sized = farms(24).map((farm) => ({ farm, rows: [...passOver(farm).values()] }));
  const total = (rows: readonly { rows: { length: number } }[]) =>
    rows.reduce((sum, one) => sum + one.rows.length, 0);
  return sized
    .toSorted((a, b) => total(b.rows) - total(a.rows))
    .slice(0, count)
    .map(({ farm }) => farm);
}

function passOver(farm: Farm): ReturnType<typeof fullPass> {
  const { batches, factsOf, horizon, settings } = assembleFarm(farm);
  return fullPass(batches, factsOf, horizon, settings);
}

/** Exchanges one kind's facts for another farm's, with the dirt that their two images declare. */
async function exchange(store: PgStore, farm: Farm, other: Farm, kind: FactKind): Promise<void> {
  const [before, after] = [farm.facts.get(kind)!, other.facts.get(kind)!];
  await store.ingest(async (tx) => {
    await tx.lockFacts('exclusive');
    const gone = [...before.keys()].filter((id) => !after.has(id));
    await tx.writeFacts(kind, [...after.values()] as FactTypes[typeof kind][], gone);
    const ids = new Set([...before.keys(), ...after.keys()]);
    const scopes = [...ids].flatMap((id) =>
      dirtOf(kind, (before.get(id) ?? null) as never, (after.get(id) ?? null) as never, farm.settings),
    );
    const dirt = await tx.resolve(scopes.map((scope) => ({ scope, reason: kind })));
    await tx.appendDirt(dirt.map((entry) => ({ ...entry, committedMs: null, decodedMs: 0 })));
  });
  farm.facts.set(kind, after);
}

/** Whole lives, days past the horizon included: what is of no row is told of them too. */
async function dirtyAll(store: PgStore, ids: Iterable<Id>): Promise<void> {
  const whole = { from: MIN_DAY, to: MAX_DAY, reasons: ['operator'], committedMs: null, decodedMs: 0 };
  await store.ingest((tx) => tx.appendDirt([...ids].map((assignmentId) => ({ assignmentId, ...whole }))));
}

async function expectLaw(store: PgStore, farm: Farm): Promise<void> {
  const wanted = passOver(farm);
  for (let id: Id = 1; id < 12; id += 1) {
    const window = { assignmentId: id, from: MIN_DAY, to: MAX_DAY };
    const stored = (await store.recompute((tx) => tx.load([window]))).storedOf.get(id);
    const computed = wanted.get(id);
    const rows = computed === undefined || computed.interval === null ? [] : statesOf(computed.rows);
    expect({ id, rows: stored === undefined ? [] : storedStates(stored) }).toEqual({ id, rows });
    const kept = await store.anomalies({ assignmentId: id }, 1000);
    expect({ id, anomalies: kept.map(asText).sort() }).toEqual({
      id,
      anomalies: (computed?.anomalies ?? []).map(asText).sort(),
    });
  }
}

function asText({ day, rule, code, detail }: Pick<KeptAnomaly, 'day' | 'rule' | 'code' | 'detail'>): string {
  return JSON.stringify([day, rule, code, detail]);
}

function storedStates(stored: StoredRows) {
  expect(stored.present.every((present) => present === 1)).toBe(true);
  return statesOf(stored);
}

describe.each(BUILDS)('the law on Postgres, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('recomputes of declared dirt give what one pass over all facts gives', async () => {
    const [first, ...others] = richFarms(4) as [Farm, ...Farm[]];
    const farm: Farm = { ...first, facts: new Map(first.facts) };
    const { store } = await place.newStore(farm.settings);
    await writeFarm(store, farm);
    await store.moveHorizon(farm.horizon, 1, 0);
    await dirtyAll(store, farm.facts.get('assignment')!.keys());
    expect(await settleStore(store, farm.settings)).toBeGreaterThan(50);
    await expectLaw(store, farm);
    for (const other of others) {
      for (const kind of FARM_KINDS) {
        await exchange(store, farm, other, kind);
        if (kind.length % 3 === 0) await settleStore(store, farm.settings);
      }
      await settleStore(store, farm.settings);
      await expectLaw(store, farm);
    }
  });

  it('a recompute of what is as it was writes nothing and publishes nothing', async () => {
    const [farm] = richFarms(1) as [Farm];
    const { store } = await place.newStore(farm.settings);
    await writeFarm(store, farm);
    await store.moveHorizon(farm.horizon, 1, 0);
    expect(await settleStore(store, farm.settings)).toBeGreaterThan(50);
    const published = await store.readPublications(0, 1, 1000);
    expect(published.length).toBeGreaterThan(0);
    await store.settlePublications(published.flatMap((batch) => batch.sequences));

    await dirtyAll(
      store,
      published.map(({ assignmentId }) => assignmentId),
    );
    expect(await settleStore(store, farm.settings)).toBe(0);
    expect(await store.readPublications(0, 1, 1000)).toEqual([]);
  });
});
