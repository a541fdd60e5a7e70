/** Conformance: facts, readings, dead letters, resolution of dirt. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { REJECTIONS } from '../../src/domain/cdc.ts';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { DirtScope } from '../../src/domain/dirt.ts';
import type { DeadLetter, ScopedReason } from '../../src/domain/ports.ts';
import { FIRST_DAY, farmArbitrary } from './farm-arbitrary.ts';
import type { Farm } from './farm-arbitrary.ts';
import { resolveScopes } from './resolve-memory.ts';
import type { MakeStore } from './store-conformance.ts';
import {
  DAY_0,
  assignment,
  batch,
  delta,
  ingest,
  reading,
  transfer,
  write,
  writeFarm,
} from './store-facts.ts';

export function describeFacts(makeStore: MakeStore): void {
  describe('facts', () => {
    it('gives back every field of every kind as it was written', async () => {
      const store = await makeStore();
      for (const farm of farms(2)) {
        await writeFarm(store, farm);
        for (const [kind, facts] of farm.facts) {
          const ids = [...facts.keys()];
          const stored = await store.ingest((tx) => tx.readFacts(kind, [...ids, 999]));
          expect({ kind, facts: stored }).toEqual({ kind, facts });
        }
      }
    });

    it('keeps texts with quotes, backslashes and braces, and numbers to the last bit', async () => {
      const store = await makeStore();
      const note = '"a\\b" {NULL,\'x\'} \t ü';
      const anchor = { id: 1, assignmentId: 1, day: DAY_0, weightE4: 2 ** 53 - 1, author: 'NULL', note };
      const scenario = {
        id: 1,
        name: null,
        createdAtUs: 0x60dd710230241,
        batchId: null,
        initialWeight: 0.1 + 0.2,
        tgcModelId: null,
        mortalityModelId: null,
        constraintSetId: null,
      };
      await write(store, 'manual_anchor', [anchor]);
      await write(store, 'scenario', [scenario]);
      expect((await store.ingest((tx) => tx.readFacts('manual_anchor', [1]))).get(1)).toEqual(anchor);
      expect((await store.ingest((tx) => tx.readFacts('scenario', [1]))).get(1)).toEqual(scenario);
    });

    it('holds the before-image until it is overwritten, and nothing of a failed transaction', async () => {
      const store = await makeStore();
      const before = assignment({ id: 1 });
      await write(store, 'assignment', [before]);
      const failing = ingest(store, async (tx) => {
        expect((await tx.readFacts('assignment', [1])).get(1)).toEqual(before);
        await tx.writeFacts('assignment', [{ ...before, containerId: 9 }], []);
        throw new RangeError('on purpose');
      });
      await expect(failing).rejects.toThrow(RangeError);
      expect((await store.ingest((tx) => tx.readFacts('assignment', [1]))).get(1)).toEqual(before);
      await write(store, 'assignment', [], [1, 2]);
      expect(await store.ingest((tx) => tx.readFacts('assignment', [1]))).toEqual(new Map());
    });
  });

  describe('readings', () => {
    it('moves the day sums by deltas as readings come, change, move, repeat and go', async () => {
      const store = await makeStore();
      await write(store, 'batch', [batch({ id: 1 })]);
      await write(store, 'assignment', [assignment({ id: 1 })]);
      await write(store, 'parameter', [{ id: 1, name: 'Temperature', isTemperature: true }]);
      const temperatures = async () => {
        const window = { assignmentId: 1, from: MIN_DAY, to: MAX_DAY };
        return (await store.recompute((tx) => tx.load([window]))).factsOf.get(1)?.temperatures;
      };
      const a = reading({ id: 1 });
      const b = reading({ id: 2, timeUs: a.timeUs + 1, valueE4: -5_000 });
      await store.ingest((tx) => tx.writeReadings([a, b], [], [delta({ sumE4: 95_000, count: 2 })]));
      expect(await temperatures()).toEqual([{ day: DAY_0, sumE4: 95_000, count: 2 }]);
      const read = await store.ingest((tx) => tx.readReadings([a, b, { id: 2, timeUs: a.timeUs }]));
      expect([...read].sort((x, y) => x.id - y.id)).toEqual([a, b]);

      await store.ingest((tx) => tx.writeReadings([a], [], []));
      expect(await temperatures()).toEqual([{ day: DAY_0, sumE4: 95_000, count: 2 }]);

      const moved = { ...b, day: DAY_0 + 3, valueE4: 70_000 };
      const there = delta({ day: DAY_0 + 3, sumE4: 70_000, count: 1 });
      await store.ingest((tx) => tx.writeReadings([moved], [], [delta({ sumE4: 5_000, count: -1 }), there]));
      expect(await temperatures()).toEqual([
        { day: DAY_0, sumE4: 100_000, count: 1 },
        { day: DAY_0 + 3, sumE4: 70_000, count: 1 },
      ]);
      expect(await store.ingest((tx) => tx.readReadings([b]))).toEqual([moved]);

      await store.ingest((tx) => tx.writeReadings([], [a], [delta({ sumE4: -100_000, count: -1 })]));
      expect(await temperatures()).toEqual([{ day: DAY_0 + 3, sumE4: 70_000, count: 1 }]);
      expect(await store.ingest((tx) => tx.readReadings([a]))).toEqual([]);
    });

    it('knows which parameters are temperatures', async () => {
      const store = await makeStore();
      await write(store, 'parameter', [
        { id: 1, name: 'TEMPERATURE', isTemperature: true },
        { id: 2, name: 'oxygen', isTemperature: false },
      ]);
      expect(await store.ingest((tx) => tx.temperatureParameters([1, 2, 3]))).toEqual(new Set([1]));
    });
  });

  describe('dead letters', () => {
    it('can be claimed once, again when kept again, and not once superseded', async () => {
      const store = await makeStore();
      const at = (offset: bigint) => ({ topic: 't', partition: 0, offset });
      const claim = (offset: bigint) => store.ingest((tx) => tx.claimDeadLetter(at(offset)));
      await store.ingest((tx) => tx.keepDeadLetters([letter(1n, 'a'), letter(2n, null), letter(3n, 'b')]));
      expect(await claim(9n)).toBe(false);
      expect(await claim(2n)).toBe(true);
      expect(await claim(2n)).toBe(false);

      await store.ingest((tx) => tx.keepDeadLetters([letter(4n, 'a')]));
      expect(await claim(1n)).toBe(false);
      await store.ingest((tx) => tx.supersedeDeadLetters('other', [Buffer.from('b')]));
      await store.ingest(async (tx) => {
        expect(await tx.claimDeadLetter(at(3n))).toBe(true);
        await tx.keepDeadLetters([letter(3n, 'b')]);
      });
      await store.ingest((tx) => tx.supersedeDeadLetters('t', [Buffer.from('a')]));
      expect(await claim(4n)).toBe(false);
      expect(await claim(3n)).toBe(true);
    });

    it('are superseded by a later record of the row, whatever schema its key was written with', async () => {
      const store = await makeStore();
      const key = (schema: number, id: number) => String.fromCharCode(0, 0, 0, 0, schema, id);
      const claim = (offset: bigint) =>
        store.ingest((tx) => tx.claimDeadLetter({ topic: 't', partition: 0, offset }));
      await store.ingest((tx) =>
        tx.keepDeadLetters([letter(1n, key(7, 2)), letter(2n, key(7, 4)), letter(3n, key(7, 6))]),
      );
      await store.ingest((tx) => tx.supersedeDeadLetters('t', [Buffer.from(key(9, 2))]));
      await store.ingest((tx) => tx.keepDeadLetters([letter(4n, key(9, 4))]));
      expect([await claim(1n), await claim(2n), await claim(3n)]).toEqual([false, false, true]);
    });
  });

  describe('resolution of dirt', () => {
    it('agrees with the meaning of every scope, on random farms', async () => {
      for (const farm of farms(4)) {
        const store = await makeStore();
        await writeFarm(store, farm);
        const maps = { facts: farm.facts, readingParameters: readingParameters(farm) };
        for (const scopes of [...scopesOfEveryKind().map((scope) => [scope]), scopesOfEveryKind()]) {
          const resolved = await store.ingest((tx) => tx.resolve(scopes));
          expect({ scopes, resolved }).toEqual({ scopes, resolved: resolveScopes(scopes, maps) });
        }
      }
    });

    it('reaches both batches of an assignment that moved, and the receivers of their unmeasured fish', async () => {
      const store = await makeStore();
      const before = assignment({ id: 1, batchId: 1 });
      await write(store, 'assignment', [
        before,
        assignment({ id: 2, batchId: 1 }),
        assignment({ id: 3, batchId: 2 }),
        assignment({ id: 4, batchId: 3 }),
        assignment({ id: 5, batchId: 4 }),
      ]);
      await write(store, 'transfer', [
        transfer({ id: 1, sourceId: 1, destId: 4 }),
        transfer({ id: 2, sourceId: 1, destId: 5, weightE4: 12_000 }),
      ]);
      const resolved = await ingest(store, async (tx) => {
        await tx.writeFacts('assignment', [{ ...before, batchId: 2 }], []);
        return tx.resolve([
          { scope: { scope: 'batch_structure', batchId: 1 }, reason: 'assignment' },
          { scope: { scope: 'assignment_structure', assignmentId: 1 }, reason: 'assignment' },
        ]);
      });
      expect(resolved.map((dirt) => dirt.assignmentId)).toEqual([1, 2, 3, 4]);
      expect(resolved.every(({ from, to }) => from === MIN_DAY && to === MAX_DAY)).toBe(true);
    });

    it('leaves out a stay between two windows of its container', async () => {
      const store = await makeStore();
      const stay = { startDay: DAY_0 + 10, departureDay: DAY_0 + 20 };
      await write(store, 'assignment', [
        assignment({ id: 1, ...stay }),
        assignment({ id: 2, startDay: DAY_0 + 30 }),
      ]);
      const window = (day: number): ScopedReason => ({
        scope: { scope: 'container', containerId: 1, from: day - 7, to: day + 7 },
        reason: 'reading',
      });
      expect(
        await store.ingest((tx) => tx.resolve([window(DAY_0), window(DAY_0 + 40), window(DAY_0 + 41)])),
      ).toEqual([{ assignmentId: 2, from: DAY_0 + 33, to: DAY_0 + 48, reasons: ['reading'] }]);
    });
  });
}

/** The same farms in every run. */
export function farms(count: number): Farm[] {
  return fc.sample(farmArbitrary(), { seed: 20_240_301, numRuns: count });
}

function readingParameters(farm: Farm): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (const { containerId, parameterId } of farm.readings) {
    found.set(containerId, (found.get(containerId) ?? new Set()).add(parameterId));
  }
  return found;
}

function scopesOfEveryKind(): ScopedReason[] {
  const from = FIRST_DAY + 3;
  const window = { from, to: from + 4 };
  const scopes: DirtScope[] = [1, 2, 3].flatMap((id) => [
    { scope: 'assignment', assignmentId: id, from: from + id, to: from + id },
    { scope: 'batch', batchId: id, ...window },
    { scope: 'batch', batchId: id, containerId: 2, from: from + 9, to: from + 9 + id },
    { scope: 'container', containerId: id, ...window },
    { scope: 'batch_structure', batchId: id },
    { scope: 'assignment_structure', assignmentId: id + 5 },
    { scope: 'harvest_event', eventId: id },
    { scope: 'sampling_event', eventId: id },
    { scope: 'workflow', workflowId: id },
    { scope: 'parameter', parameterId: id },
    { scope: 'scenario', id },
    { scope: 'projection_run', id },
    { scope: 'tgc_model', id },
    { scope: 'mortality_model', id },
    { scope: 'constraint_set', id },
    { scope: 'profile', id },
    { scope: 'stage', id: id + 1, speciesId: id === 3 ? null : id },
  ]);
  return scopes.map((scope, i) => ({ scope, reason: i % 2 === 0 ? 'transfer' : scope.scope }));
}

function letter(offset: bigint, key: string | null): DeadLetter {
  const value = Buffer.from([0, 255, 92]);
  return {
    record: {
      topic: 't',
      partition: 0,
      offset,
      timestampMs: 7,
      key: key === null ? null : Buffer.from(key),
      value,
    },
    rejection: { code: REJECTIONS.undecodable, message: 'not Avro: "\\"' },
  };
}
