import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DirtScope } from '../../src/domain/dirt.ts';
import type { Fact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import { dirtOf, readingDirt } from '../../src/source/registry.ts';
import { storedOf } from '../support/engine-rows.ts';
import { traceReads } from '../support/engine-trace.ts';
import type { Read } from '../support/engine-trace.ts';
import { assembleFarm, farmArbitrary } from '../support/farm-arbitrary.ts';
import type { Farm } from '../support/farm-arbitrary.ts';
import { resolved, temperatureParameters } from '../support/farm-change.ts';
import type { DeclaredWindow } from '../support/farm-change.ts';

type AnyDirt = (kind: FactKind, before: Fact, after: null, settings: Farm['settings']) => DirtScope[];

/** What a change of what was read declares dirty. */
function declared(farm: Farm, read: Read): DeclaredWindow[][] {
  const ofFact = (kind: FactKind, fact: Fact) =>
    resolved(farm, (dirtOf as AnyDirt)(kind, fact, null, farm.settings));
  const those = <K extends FactKind>(kind: K, wanted: (fact: FactTypes[K]) => boolean) =>
    ([...farm.facts.get(kind)!.values()] as FactTypes[K][]).filter(wanted).map((fact) => ofFact(kind, fact));
  switch (read.kind) {
    case 'reading': {
      const parameterId = [...temperatureParameters(farm)][0]!;
      const delta = { containerId: read.containerId, parameterId, day: read.day, sumE4: 1, count: 0 };
      return [resolved(farm, readingDirt([delta], temperatureParameters(farm)))];
    }
    case 'weighings':
      return those('fish_observation', (fish) => fish.samplingEventId === read.eventId);
    case 'recorded_deaths':
      return those('mortality', (event) => event.assignmentId === read.assignmentId);
    default:
      return [ofFact(read.kind, farm.facts.get(read.kind)!.get(read.id)!)];
  }
}

describe('R24 declared dirt covers what the engine reads', () => {
  test('R24: a change of any fact that a row’s computation reads dirties that row', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(farmArbitrary(), fc.nat({ max: 100 }), (farm, pick) => {
        const { batches, factsOf, horizon, settings } = assembleFarm(farm);
        const full = fullPass(batches, factsOf, horizon, settings);
        const weightOf = (id: Id, day: number) =>
          full.get(id)?.rows.weight[day - full.get(id)!.rows.firstDay];
        const cache = new Map<string, DeclaredWindow[][]>();
        for (const batch of batches) {
          for (const { id } of batch.assignments) {
            const { rows } = full.get(id)!;
            for (let i = pick % 3; i < rows.length; i += 3) {
              const day = rows.firstDay + i;
              const stored = i === 0 ? null : storedOf(rows, (d) => d < day);
              const trace = traceReads({
                batch,
                facts: factsOf(id),
                day,
                stored,
                sourceWeight: weightOf,
                settings,
              });
              expect(trace.rows).toBe(1);
              for (const read of trace.reads) {
                kinds.add(read.kind);
                const key = JSON.stringify(read);
                const windows = cache.get(key) ?? declared(farm, read);
                cache.set(key, windows);
                for (const change of windows) {
                  const covered = change.some((w) => w.assignmentId === id && w.from <= day && day <= w.to);
                  if (!covered)
                    expect.fail(`${key} is read by ${id} on ${day}, and a change of it does not say so`);
                }
              }
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    // Every kind that a rule reads was met.
    expect([...kinds].sort()).toEqual([
      'assignment',
      'batch',
      'egg_delivery',
      'feeding',
      'growth_sample',
      'harvest_lot',
      'manual_anchor',
      'mortality',
      'mortality_model',
      'mortality_stage',
      'planned_activity',
      'profile_reading',
      'reading',
      'recorded_deaths',
      'scenario',
      'stage',
      'stage_constraint',
      'tgc_model',
      'tgc_stage',
      'transfer',
      'treatment',
      'weighings',
    ]);
  }, 120_000);
});
