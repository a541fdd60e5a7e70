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
