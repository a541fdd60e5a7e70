/**
 * A farm of the older generation with its history, through all that its operators do, and through the upgrade of its
 * schema to the newer generation while everything runs. After each step the table equals one full pass over the source.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { problemsOf } from '../support/pipeline-check.ts';
import { FARM_HORIZON, UPGRADE, farmRows } from '../support/pipeline-farm.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { Pipeline } from '../support/pipeline.ts';
import { endpointsOf } from '../support/stack-provider.ts';

let farm: Pipeline;

beforeAll(async () => {
  farm = await Pipeline.open({
    endpoints: endpointsOf(inject('stack')),
    name: 'upgrade',
    generation: 'older',
    horizon: FARM_HORIZON,
  });
  await farm.write(farmRows('older'));
  await farm.deploy();
  await farm.start();
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
});

const settled = async (): Promise<void> => {
  await farm.settled();
  expect(await problemsOf(farm)).toEqual([]);
};

const rowOf = async (assignment: number, date: string) => {
  const rows = await farm.inStore<Record<string, string>>(
    `select avg_weight_g, mortality_count, anchor_type, sources from daily_state
     where assignment_id = $1 and date = $2`,
    [assignment, date],
  );
  return rows[0];
};

const deathsOf = async (batch: number, date: string): Promise<number> => {
  const rows = await farm.inStore<{ sum: string }>(
    'select sum(mortality_count) from daily_state where batch_id = $1 and date = $2',
    [batch, date],
  );
  return Number(rows[0]?.sum);
};

const countOf = async (fact: string): Promise<number> => {
  const rows = await farm.inStore<{ count: string }>(`select count(*) from fact_${fact}`);
  return Number(rows[0]?.count);
};

const plan = () => farm.cli(['connectors', 'plan', '--exit-code']);

test('the snapshot of the older schema becomes rows', async () => {
  await settled();
  expect(await rowOf(1, '2024-01-20')).toMatchObject({ avg_weight_g: '6.40', anchor_type: 'growth_sample' });
  expect(await countOf('projected_day')).toBe(1);
  expect(await countOf('projection_run')).toBe(0);
});

test('inserts, updates and deletes of the older schema follow', async () => {
  await farm.write(`
    insert into batch_growthsample values (20, 5, '2024-03-01', 25, 40.10, 1, 1.2);
    insert into batch_batchcontainerassignment values (6, 2, 6, 2, 100, 30, 3, '2024-03-01', null, true);
    insert into inventory_feedingevent values (500, 2, 4, 4, '2024-02-20', '07:00', 12.3456);
    insert into scenario_scenarioprojection values (2, 1, '2024-01-03', 3, 5.3, 9990, 53)`);
  await settled();
  expect(await rowOf(5, '2024-03-01')).toMatchObject({ avg_weight_g: '40.10' });
  expect(await countOf('projected_day')).toBe(2);
  await farm.write(`
    update batch_growthsample set assignment_id = 2, sample_date = '2024-01-22' where id = 1;
    update batch_transferaction set actual_execution_date = '2024-02-14' where id = 1;
    update batch_batchcontainerassignment set assignment_date = '2024-02-14' where id = 3;
    update scenario_scenarioprojection set average_weight = 5.4 where projection_id = 2`);
  await settled();
  expect(await rowOf(1, '2024-01-20')).toMatchObject({ anchor_type: null });
  expect(await rowOf(2, '2024-01-22')).toMatchObject({ avg_weight_g: '6.40' });
  await farm.write(`
    delete from batch_growthsample where id in (3, 20);
    delete from inventory_feedingevent where id = 500;
    delete from batch_batchcontainerassignment where id = 6;
    delete from scenario_scenarioprojection where projection_id = 2`);
  await settled();
  expect(await rowOf(6, '2024-03-05')).toBeUndefined();
  expect(await countOf('projected_day')).toBe(1);
});

test('deaths are the batch’s: entered, corrected, moved to another batch, taken out', async () => {
  const day = '2024-02-01';
  const before = await deathsOf(1, day);
  await farm.write(`insert into batch_mortalityevent values (50, 1, '${day}', 40, 'UNKNOWN')`);
  await settled();
  expect(await deathsOf(1, day)).toBe(before + 40);
  // The farm's own assignments share them: nobody else knows whose they were.
  expect(Number((await rowOf(1, day))?.['mortality_count'])).toBeGreaterThan(0);
  expect(Number((await rowOf(2, day))?.['mortality_count'])).toBeGreaterThan(0);
  await farm.write('update batch_mortalityevent set count = 70 where id = 50');
  await settled();
  expect(await deathsOf(1, day)).toBe(before + 70);
  // Nothing is recorded of the other one on that day: the model's deaths make way for the recorded.
  const other = await deathsOf(2, day);
  await farm.write('update batch_mortalityevent set batch_id = 2 where id = 50');
  await settled();
  expect([await deathsOf(1, day), await deathsOf(2, day)]).toEqual([before, 70]);
  await farm.write('delete from batch_mortalityevent where id = 50');
  await settled();
  expect(await deathsOf(2, day)).toBe(other);
});

test('the scenario is pinned directly, and let go again', async () => {
  const modelled = async () => (await rowOf(2, '2024-03-10'))?.['sources'];
  await farm.write('update batch_batch set pinned_scenario_id = 2 where id = 1');
  await settled();
  expect(await modelled()).toMatchObject({ growth: 'power' });
  await farm.write('update batch_batch set pinned_scenario_id = 1 where id = 1');
  await settled();
  expect(await modelled()).toMatchObject({ growth: 'cube-root' });
  await farm.write('update batch_batch set pinned_scenario_id = null where id = 1');
  await settled();
  // The newest counts then.
  expect(await modelled()).toMatchObject({ growth: 'power' });
  await farm.write('update batch_batch set pinned_scenario_id = 1 where id = 1');
  await settled();
});

test('the upgrade’s tables are planned, and nothing is touched by it', async () => {
  for (const statements of UPGRADE) await farm.write(statements);
  const { status, stdout } = await plan();
  expect(status).toBe(3);
  expect(stdout).toContain('source: 26 tables are captured, 3 to add, 0 missing');
  for (const table of ['scenario_projection_run', 'planning_activitytemplate', 'planning_plannedactivity']) {
    expect(stdout).toContain(`+ public.${table} in publication ${farm.name}`);
    expect(stdout).toContain(`: SELECT on table public.${table}`);
  }
  expect((await plan()).stdout).toBe(stdout);
  expect(await farm.cli(['topics', 'plan', '--exit-code'])).toMatchObject({ status: 0 });
});

test('an apply that does not get to the snapshot leaves it to the next one', async () => {
  expect((await farm.cli(['connectors', 'apply', '--no-wait'])).status).toBe(0);
  const { status, stdout } = await plan();
  expect(status).toBe(3);
  expect(stdout).toContain('+ snapshot of public.planning_activitytemplate: it was captured later');
  expect(stdout).toContain('3 to create, 0 to change');
});

test('the upgrade’s tables come with the rows that they held, and its columns with the rows that it touched', async () => {
  const { status, stdout, stderr } = await farm.cli(['connectors', 'apply']);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stdout).toContain('rows that were there before come by snapshot: public.planning_activitytemplate');
  expect(await plan()).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') });
  await eventually('the snapshot of the later tables is ingested', 60_000, async () => {
    const wanted = { projection_run: 2, activity_template: 1, planned_activity: 1 };
    for (const [fact, count] of Object.entries(wanted)) if ((await countOf(fact)) !== count) return false;
    return true;
  });
  await settled();
});

test('the newer schema is followed from then on', async () => {
  await farm.write(`
    insert into batch_mortalityevent values (60, 1, '2024-02-20', 7, 'UNKNOWN', 3);
    update batch_mortalityevent set assignment_id = 4 where id in (3, 9);
    insert into scenario_projection_run values (3, 2, 2, '2024-01-05 08:00+00');
    update batch_batch set pinned_projection_run_id = 3 where id = 1;
    insert into scenario_scenarioprojection (projection_id, projection_date, day_number, average_weight, population,
      biomass, projection_run_id) values (3, '2024-01-04', 4, 5.5, 9980, 54, 3);
    insert into planning_plannedactivity values
      (2, 1, 1, 'VACCINATION', '2024-03-19', 'PENDING', null, null)`);
  await settled();
  expect(await rowOf(3, '2024-02-20')).toMatchObject({ mortality_count: '7' });
  expect((await rowOf(2, '2024-03-10'))?.['sources']).toMatchObject({ growth: 'power' });
  expect(await countOf('planned_activity')).toBe(2);
  await farm.write(`
    update batch_batch set pinned_projection_run_id = 1 where id = 1;
    delete from planning_plannedactivity where id = 2;
    delete from scenario_scenarioprojection where projection_id = 3;
    delete from scenario_projection_run where run_id = 3`);
  await settled();
  expect((await rowOf(2, '2024-03-10'))?.['sources']).toMatchObject({ growth: 'cube-root' });
  expect(await countOf('planned_activity')).toBe(1);
  expect(await countOf('projection_run')).toBe(2);
});
