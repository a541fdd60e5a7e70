import { describe, expect, test } from 'vitest';
import { D, assignment, batch, codes, outcome, scenario, stage, transfer } from '../support/engine-build.ts';

/** Anomalies of assignment 1, told by code. */
const told = (facts: Parameters<typeof batch>[0]) => codes(outcome({ batch: batch(facts) }).anomalies);

describe('facts that contradict each other', () => {
  test.each([
    ['the same days', {}, ['R1 overlapping_assignments @-']],
    ['the last day only', { startDay: D + 4 }, ['R1 overlapping_assignments @-']],
    ['from the day of departure on', { startDay: D + 5 }, []],
    ['another container', { containerId: 99 }, []],
  ])('R1: a batch twice in a container: %s', (_, second, anomalies) => {
    const first = assignment({ id: 1, departureDay: D + 5 });
    const other = assignment({ id: 2, containerId: first.containerId, ...second });
    expect(told({ assignments: [first, other] })).toEqual(anomalies);
  });

  test('R1: both are told, each of the other', () => {
    const both = [assignment({ id: 1 }), assignment({ id: 2 })];
    for (const of of [1, 2]) {
      const [anomaly] = outcome({ batch: batch({ assignments: both }), of }).anomalies;
      expect(anomaly).toMatchObject({ assignmentId: of, code: 'overlapping_assignments' });
      expect(anomaly?.detail).toContain(`assignment ${3 - of} `);
    }
  });

  test.each([
    ['done', {}, ['R10 transfer_to_itself @-']],
    ['not done', { completed: false }, []],
    ['to another', { destId: 2 }, []],
  ])('R10: a transfer to itself: %s', (_, given, anomalies) => {
    const transfers = [transfer({ sourceId: 1, destId: 1, day: D + 3, ...given })];
    expect(told({ transfers })).toEqual(anomalies);
  });

  test('R8: each model that the scenario names and nobody knows', () => {
    const known = scenario();
    const lacking = {
      ...known,
      scenario: { ...known.scenario, tgcModelId: 77, mortalityModelId: 78 },
      tgc: null,
      mortality: null,
    };
    const { anomalies } = outcome({ batch: batch({ scenario: lacking }) });
    expect(codes(anomalies)).toEqual(['R8 missing_model @-', 'R8 missing_model @-']);
    expect(anomalies.map(({ detail }) => /\d+, which/.exec(detail)?.[0])).toEqual(['77, which', '78, which']);
    const none = { ...lacking, scenario: { ...known.scenario, tgcModelId: null, mortalityModelId: null } };
    expect(told({ scenario: none })).toEqual([]);
  });

  test('R8: a constraint set that nobody knows, and a profile without readings', () => {
    const tgc = { id: 1, tgc: 2.7, exponentN: null, exponentM: null, profileId: 9 };
    const lacking = scenario({ tgc, constraintSet: null });
    const { anomalies } = outcome({ batch: batch({ scenario: lacking }) });
    expect(codes(anomalies)).toEqual(['R8 missing_model @-', 'R8 missing_model @-']);
    expect(anomalies.map(({ detail }) => detail)).toEqual([
      'scenario 1 names constraint set 1, which is not there',
      'TGC model 1 names temperature profile 9, which has no readings',
    ]);
    const profile = [{ id: 1, profileId: 9, dayNumber: 1, temperature: 8 }];
    const set = { id: 1, isActive: false };
    expect(told({ scenario: scenario({ tgc, profile, constraintSet: set }) })).toEqual([]);
  });

  test.each([
    ['pinned', 'pin', 7, 8, []],
    ['pinned by a run, the scenario unknown', 'run', 7, 8, ['R8 missing_pin @-']],
    ['the newest, both pins unknown', 'newest', 7, 8, ['R8 missing_pin @-', 'R8 missing_pin @-']],
    ['the newest, the run unknown', 'newest', null, 8, ['R8 missing_pin @-']],
    ['the newest, nothing pinned', 'newest', null, null, []],
    ['none, a pin unknown', null, 7, null, ['R8 missing_pin @-']],
    ['none, nothing pinned', null, null, null, []],
  ] as const)('R8: the scenario followed: %s', (_, by, pinnedScenarioId, pinnedRunId, anomalies) => {
    const followed = by === null ? null : scenario({ by });
    const pinned = { ...batch().batch, pinnedScenarioId, pinnedRunId };
    expect(told({ batch: pinned, scenario: followed })).toEqual(anomalies);
  });

  test.each([
    ['in order', [1, 2, 3], []],
    ['in order from elsewhere', [5, 4, 6], []],
    ['a gap', [1, 2, 4], ['R20 stage_order_gap @-']],
    ['twice the same', [1, 2, 2], ['R20 stage_order_gap @-']],
  ])('R20: orders of the species’ stages: %s', (_, orders, anomalies) => {
    const stages = orders.map((order, i) => stage({ id: i + 1, order, speciesId: 1 }));
    const elsewhere = stage({ id: 50, order: 40, speciesId: 2 });
    expect(told({ assignments: [assignment({ stageId: 1 })], stages: [...stages, elsewhere] })).toEqual(
      anomalies,
    );
  });
});
