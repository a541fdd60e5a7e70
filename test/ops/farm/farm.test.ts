import { describe, expect, it } from 'vitest';

import { keyText } from '../../../ops/bench/farm/change.ts';
import type { Change } from '../../../ops/bench/farm/change.ts';
import { farmTransactions, finalTables, settled } from '../../../ops/bench/farm/farm.ts';
import { planFarm } from '../../../ops/bench/farm/plan.ts';
import { FULL_FARM, scaleFrom } from '../../../ops/bench/farm/scale.ts';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import { CAPTURED_TABLES } from '../../../src/domain/topics.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { SMALL_FARM } from '../../support/small-farm.ts';

const changes = changesOf(SMALL_FARM);
const rows = settled(changes);

function changesOf(scale: typeof SMALL_FARM): Change[] {
  return [...farmTransactions(scale)].flatMap(({ changes }) => changes);
}

function of(table: CapturedTableName): readonly SourceRow[] {
  return rows.get(table) ?? [];
}

function nameOf(row: SourceRow, column: string): string {
  return `${row[column] as number}`;
}

function number(row: SourceRow, column: string): number {
  return Number(row[column]);
}

/** Sums of a column by another. */
function sums(
  table: readonly SourceRow[],
  by: string,
  column: (row: SourceRow) => number,
): Map<unknown, number> {
  const found = new Map<unknown, number>();
  for (const row of table) found.set(row[by], (found.get(row[by]) ?? 0) + column(row));
  return found;
}

describe('a farm made from a seed', () => {
  it('is the same from the same seed, and another from another', () => {
    expect(changesOf(SMALL_FARM)).toEqual(changes);
    expect(changesOf({ ...SMALL_FARM, seed: 8 })).not.toEqual(changes);
  });

  it('keeps each batch as it is where more of them are made', () => {
    const more = [...finalTables({ ...SMALL_FARM, batches: 6 })];
    const fewer = [...finalTables(SMALL_FARM)];
    // The last days differ: the farm's history is longer with another batch.
    expect(more[1]?.get('batch_transferaction')).toEqual(fewer[1]?.get('batch_transferaction'));
  });

  it('leaves the same rows behind, seen batch by batch', () => {
    const parts = [...finalTables(SMALL_FARM)];
    for (const [table, all] of rows) {
      const together = parts.flatMap((part) => part.get(table) ?? []);
      const sorted = (some: readonly SourceRow[]) =>
        some.toSorted((a, b) => (keyText(table, a) < keyText(table, b) ? -1 : 1));
      expect({ [table]: sorted(together) }).toEqual({ [table]: sorted(all) });
    }
  });

  it('goes from day to day', () => {
    const days = [...farmTransactions(SMALL_FARM)].map(({ day }) => day);
    expect(days).toEqual(days.toSorted((a, b) => a - b));
  });

  it('has rows in every captured table, and about as many changes as a real one at full size', () => {
    expect([...rows.keys()].toSorted()).toEqual(CAPTURED_TABLES.map(({ name }) => name).toSorted());
    const plan = planFarm(FULL_FARM);
    const stays = plan.batches.flatMap((batch) => batch.stays);
    const days = stays.reduce(
      (sum, { first, departure }) => sum + Math.max(0, Math.min(departure, plan.lastDay + 1) - first),
      0,
    );
    expect(plan.batches.length).toBe(40);
    expect(stays.length).toBeGreaterThan(450);
    expect(stays.length).toBeLessThan(550);
    expect(days).toBeGreaterThan(210_000);
    expect(days).toBeLessThan(250_000);
  });

  it('says which option is wrong', () => {
    expect(scaleFrom({})).toEqual(FULL_FARM);
    expect(scaleFrom({ scale: '0.1', seed: '3' })).toEqual({ ...FULL_FARM, batches: 4, seed: 3 });
    expect(() => scaleFrom({ days: '10' })).toThrow('--days');
    expect(() => scaleFrom({ scale: 'x' })).toThrow('--scale');
  });
});

/** Column → table, for every reference that the source's schema declares. */
const REFERENCES: readonly (readonly [CapturedTableName, string, CapturedTableName])[] = [
  ['batch_batch', 'lifecycle_stage_id', 'batch_lifecyclestage'],
  ['batch_batch', 'pinned_projection_run_id', 'scenario_projection_run'],
  ['batch_batchcontainerassignment', 'batch_id', 'batch_batch'],
  ['batch_batchcontainerassignment', 'container_id', 'infrastructure_container'],
  ['batch_batchcontainerassignment', 'lifecycle_stage_id', 'batch_lifecyclestage'],
  ['batch_growthsample', 'assignment_id', 'batch_batchcontainerassignment'],
  ['batch_transferaction', 'source_assignment_id', 'batch_batchcontainerassignment'],
  ['batch_transferaction', 'dest_assignment_id', 'batch_batchcontainerassignment'],
  ['batch_creationaction', 'dest_assignment_id', 'batch_batchcontainerassignment'],
  ['harvest_harvestevent', 'assignment_id', 'batch_batchcontainerassignment'],
  ['harvest_harvestevent', 'batch_id', 'batch_batch'],
  ['harvest_harvestlot', 'event_id', 'harvest_harvestevent'],
  ['health_treatment', 'batch_id', 'batch_batch'],
  ['health_treatment', 'container_id', 'infrastructure_container'],
  ['health_treatment', 'batch_assignment_id', 'batch_batchcontainerassignment'],
  ['health_treatment', 'sampling_event_id', 'health_healthsamplingevent'],
  ['health_healthsamplingevent', 'assignment_id', 'batch_batchcontainerassignment'],
  ['health_individualfishobservation', 'sampling_event_id', 'health_healthsamplingevent'],
  ['batch_mortalityevent', 'batch_id', 'batch_batch'],
  ['batch_mortalityevent', 'assignment_id', 'batch_batchcontainerassignment'],
  ['inventory_feedingevent', 'batch_id', 'batch_batch'],
  ['inventory_feedingevent', 'batch_assignment_id', 'batch_batchcontainerassignment'],
  ['inventory_feedingevent', 'container_id', 'infrastructure_container'],
  ['environmental_environmentalreading', 'container_id', 'infrastructure_container'],
  ['environmental_environmentalreading', 'parameter_id', 'environmental_environmentalparameter'],
  ['scenario', 'batch_id', 'batch_batch'],
  ['scenario', 'tgc_model_id', 'scenario_tgcmodel'],
  ['scenario', 'mortality_model_id', 'scenario_mortalitymodel'],
  ['scenario', 'biological_constraints_id', 'scenario_biological_constraints'],
  ['scenario_projection_run', 'scenario_id', 'scenario'],
  ['scenario_scenarioprojection', 'projection_run_id', 'scenario_projection_run'],
  ['scenario_tgcmodel', 'profile_id', 'scenario_temperatureprofile'],
  ['scenario_tgc_model_stage', 'tgc_model_id', 'scenario_tgcmodel'],
  ['scenario_temperaturereading', 'profile_id', 'scenario_temperatureprofile'],
  ['scenario_mortality_model_stage', 'mortality_model_id', 'scenario_mortalitymodel'],
  ['scenario_stage_constraint', 'constraint_set_id', 'scenario_biological_constraints'],
  ['planning_activitytemplate', 'target_lifecycle_stage_id', 'batch_lifecyclestage'],
  ['planning_plannedactivity', 'batch_id', 'batch_batch'],
  ['planning_plannedactivity', 'container_id', 'infrastructure_container'],
];

describe('its rows', () => {
  it.each(REFERENCES)('%s.%s is a row of %s', (table, column, target) => {
    const keys = new Set(of(target).map((row) => keyText(target, row)));
    const named = of(table).flatMap((row) => (row[column] === null ? [] : [nameOf(row, column)]));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((key) => !keys.has(key))).toEqual([]);
  });

  it('refer at the end of every transaction to rows that are there', () => {
    const standing = new Map<CapturedTableName, Set<string>>();
    const lost: string[] = [];
    for (const { changes } of farmTransactions(SMALL_FARM)) {
      for (const { table, op, row } of changes) {
        const keys = standing.get(table) ?? new Set();
        standing.set(table, keys);
        if (op === 'd') keys.delete(keyText(table, row));
        else keys.add(keyText(table, row));
      }
      const written = new Map(Map.groupBy(changes, ({ table }) => table));
      for (const [table, column, target] of REFERENCES) {
        for (const { op, row } of written.get(table) ?? []) {
          if (op === 'd' || row[column] == null) continue;
          if (!standing.get(target)?.has(nameOf(row, column)))
            lost.push(`${table}.${column} ${nameOf(row, column)}`);
        }
      }
    }
    expect(lost).toEqual([]);
  });

  it('are of a salmon farm', () => {
    const within = (table: CapturedTableName, column: string, least: number, most: number): void => {
      const values = of(table).flatMap((row) => (row[column] === null ? [] : [number(row, column)]));
      expect(Math.min(...values)).toBeGreaterThanOrEqual(least);
      expect(Math.max(...values)).toBeLessThanOrEqual(most);
    };
    within('batch_growthsample', 'avg_weight_g', 0.3, 9_000);
    within('environmental_environmentalreading', 'value', -1.5, 115);
    within('inventory_feedingevent', 'amount_kg', 0, 20_000);
    within('batch_mortalityevent', 'count', 0, 30_000);
    within('batch_transferaction', 'transferred_count', 1_000, 450_000);
    within('health_individualfishobservation', 'weight_g', 0.1, 12_000);
  });

  it('have seasons, gaps and peaks', () => {
    const temperatures = of('environmental_environmentalreading').filter((row) => row['parameter_id'] === 1);
    const values = temperatures.map((row) => number(row, 'value'));
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(6);
    const stayDays = planFarm(SMALL_FARM).batches.flatMap(({ stays }) => stays).reduce((sum, { first, departure }) => sum + departure - first, 0); // prettier-ignore
    expect(temperatures.length).toBeLessThan(stayDays * SMALL_FARM.readingsPerDay * 0.99);
    const deaths = of('batch_mortalityevent')
      .map((row) => number(row, 'count'))
      .sort((a, b) => a - b);
    const median = deaths[Math.floor(deaths.length / 2)] as number;
    expect(deaths.at(-1)).toBeGreaterThan(median * 10);
  });

  it('move fish from one container to several, and from several to one', () => {
    const destinations = Map.groupBy(of('batch_transferaction'), (row) => row['source_assignment_id']);
    const sources = Map.groupBy(of('batch_transferaction'), (row) => row['dest_assignment_id']);
    expect(Math.max(...[...destinations.values()].map(({ length }) => length))).toBeGreaterThan(2);
    expect(Math.max(...[...sources.values()].map(({ length }) => length))).toBeGreaterThan(2);
  });
});

describe('its fish', () => {
  it('leave a stay in no greater number than came', () => {
    const came = sums(of('batch_creationaction'), 'dest_assignment_id', (row) =>
      number(row, 'egg_count_actual'),
    );
    for (const row of of('batch_batchcontainerassignment')) {
      // Bought in: the count is theirs alone, and never changes.
      const bought = number(row, 'batch_id') % 5 === 0 && row['lifecycle_stage_id'] === 1;
      if (bought) came.set(row['id'], number(row, 'population_count'));
    }
    const done = of('batch_transferaction').filter((row) => row['status'] === 'COMPLETED');
    for (const [id, count] of sums(done, 'dest_assignment_id', (row) => number(row, 'transferred_count'))) {
      came.set(id, (came.get(id) ?? 0) + count);
    }
    const left = sums(done, 'source_assignment_id', (row) => number(row, 'transferred_count') + number(row, 'mortality_during_transfer')); // prettier-ignore
    const events = new Map(of('harvest_harvestevent').map((row) => [row['id'], row['assignment_id']]));
    const lots = of('harvest_harvestlot').map((row) => ({
      ...row,
      assignment_id: events.get(row['event_id']),
    }));
    const harvested = sums(lots, 'assignment_id', (row) => number(row, 'unit_count'));
    const died = sums(of('batch_mortalityevent'), 'assignment_id', (row) => number(row, 'count'));
    expect(came.size).toBe(of('batch_batchcontainerassignment').length);
    for (const [id, arrived] of came) {
      const gone = (left.get(id) ?? 0) + (harvested.get(id) ?? 0) + (died.get(id) ?? 0);
      expect({ id, overdrawn: Math.max(0, gone - arrived) }).toEqual({ id, overdrawn: 0 });
    }
    expect([...harvested.values()].reduce((a, b) => a + b, 0)).toBeGreaterThan(100_000);
  });
});

describe('its corrections', () => {
  const before = new Map<string, SourceRow>();
  const corrected: { change: Change; was: SourceRow | undefined; day: number }[] = [];
  for (const { day, changes } of farmTransactions(SMALL_FARM)) {
    for (const change of changes) {
      const key = `${change.table} ${keyText(change.table, change.row)}`;
      if (change.correction !== undefined) corrected.push({ change, was: before.get(key), day });
      if (change.op === 'd') before.delete(key);
      else before.set(key, change.row);
    }
  }
  const all = (kind: Change['correction']) => corrected.filter(({ change }) => change.correction === kind);

  it('of mistyped values change one column, to something else', () => {
    expect(all('mistyped').length).toBeGreaterThan(50);
    for (const { change, was } of all('mistyped')) {
      expect(change.op).toBe('u');
      const columns = Object.keys(change.row).filter((column) => change.row[column] !== was?.[column]);
      expect({ [change.table]: columns.length }).toEqual({ [change.table]: 1 });
    }
  });

  it('of duplicates take out a row of which another stands', () => {
    expect(all('duplicate').length).toBeGreaterThan(50);
    const text = (row: SourceRow) => JSON.stringify({ ...row, id: 0 });
    const standing = new Set([...before].map(([key, row]) => `${key.split(' ')[0]} ${text(row)}`));
    for (const { change } of all('duplicate')) {
      expect(change.op).toBe('d');
      expect(standing.has(`${change.table} ${text(change.row)}`)).toBe(true);
    }
  });

  it('that come late are dated before the day on which they come', () => {
    expect(all('late').length).toBeGreaterThan(50);
    for (const { change, was, day } of all('late')) {
      expect(was).toBeUndefined();
      const dated = change.row['event_date'] ?? change.row['feeding_date'] ?? change.row['sample_date'];
      expect(dated).toBeLessThan(day);
    }
  });
});
