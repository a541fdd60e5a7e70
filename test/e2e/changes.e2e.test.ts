/**
 * A small farm of the newer generation through everything that its operators do to it, right and wrong. One pipeline,
 * one process; after each step the table must equal one full pass over the source, and the topic the table.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { dailyStateTopic } from '../../src/domain/topics.ts';
import { endpointsOf } from '../support/stack-provider.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import type { PlantedLetter } from '../support/pipeline-check.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { keyOfRow, noEnvelope, ofUnknownSchema, produce, rawKeyOf } from '../support/pipeline-poison.ts';
import { readStates, readTopic } from '../support/pipeline-topic.ts';
import { Pipeline } from '../support/pipeline.ts';

let farm: Pipeline;
/** Dead letters so far: they stay for the checks of all later steps. */
let planted: readonly PlantedLetter[] = [];

beforeAll(async () => {
  farm = await Pipeline.open({
    endpoints: endpointsOf(inject('stack')),
    name: 'changes',
    generation: 'newer',
    horizon: FARM_HORIZON,
  });
  await farm.write(farmRows('newer'));
  await farm.deploy();
  await farm.start();
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
});

const settledWithout = async (letters: readonly PlantedLetter[] = planted): Promise<void> => {
  await farm.settled();
  expect(await problemsOf(farm, letters)).toEqual([]);
};

const rowOf = async (assignment: number, date: string) => {
  const rows = await farm.inStore<Record<string, string>>(
    `select avg_weight_g, population, anchor_type, mortality_count, feed_kg, container_id, sources
     from daily_state where assignment_id = $1 and date = $2`,
    [assignment, date],
  );
  return rows[0];
};

const rowCount = async (assignment: number): Promise<number> => {
  const rows = await farm.inStore<{ count: string }>(
    'select count(*) from daily_state where assignment_id = $1',
    [assignment],
  );
  return Number(rows[0]?.count);
};

test('the snapshot becomes rows', async () => {
  await settledWithout();
  expect(await rowCount(1)).toBe(91);
  expect(await rowOf(1, '2024-01-20')).toMatchObject({ avg_weight_g: '6.40', anchor_type: 'growth_sample' });
  expect(await rowOf(4, '2024-02-20')).toMatchObject({ anchor_type: 'transfer' });
  expect(await rowOf(2, '2024-03-02')).toMatchObject({ anchor_type: 'vaccination' });
});

test('the check sees a row that is wrong, missing, or not the one in the topic', async () => {
  const at = `assignment_id = 4 and date = '2024-02-05'`;
  await farm.inStore('create table kept as select * from daily_state where assignment_id = 4');
  const restore = async (): Promise<void> => {
    await farm.inStore('delete from daily_state where assignment_id = 4');
    await farm.inStore('insert into daily_state select * from kept');
  };
  await farm.inStore(`update daily_state set population = population + 1 where ${at}`);
  expect((await problemsOf(farm)).join('\n')).toMatch(
    /4 2024-02-05: population[^]*one full pass[^]*the topic/,
  );
  await restore();
  // The last bit of the carry, which nobody publishes.
  await farm.inStore(
    `update daily_state set carry_weight_g = carry_weight_g * (1 + 2.5e-16::float8) where ${at}`,
  );
  expect(await problemsOf(farm)).toEqual([expect.stringMatching(/4 2024-02-05: carry_weight_g/)]);
  await restore();
  await farm.inStore(`delete from daily_state where ${at}`);
  expect(await problemsOf(farm)).toEqual([
    '4 2024-02-05: in one full pass only',
    '4 2024-02-05: in the topic only',
  ]);
  await restore();
  await farm.inStore(`update daily_state set revision = revision + 1 where ${at}`);
  expect(await problemsOf(farm)).toEqual([expect.stringMatching(/4 2024-02-05: revision/)]);
  await restore();
  await farm.inStore(`insert into anomaly values (4, null, 'R1', 'made_up', '')`);
  expect(await problemsOf(farm)).toEqual([expect.stringMatching(/an anomaly in the store only/)]);
  await farm.inStore(`delete from anomaly where code = 'made_up'`);
  expect(await problemsOf(farm, ['batch_batch REC001 open'])).toEqual([
    'a planted dead letter that is not there: batch_batch REC001 open',
  ]);
  expect(await problemsOf(farm)).toEqual([]);
});

describe('operators', () => {
  test('insert', async () => {
    await farm.write(`
      insert into batch_growthsample values (20, 5, '2024-03-01', 25, 40.10, 1, 1.2);
      insert into batch_mortalityevent values (50, 1, '2024-02-20', 7, 'UNKNOWN', 3);
      insert into inventory_feedingevent values (500, 2, 4, 4, '2024-02-20', '07:00', 12.3456);
      insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
        values (20001, 4, 1, '2024-02-20 23:59:59.999999+00', 9.8765);
      insert into batch_batchcontainerassignment values (6, 2, 6, 2, 100, 30, 3, '2024-03-01', null, true)`);
    await settledWithout();
    expect(await rowOf(5, '2024-03-01')).toMatchObject({ avg_weight_g: '40.10' });
    expect(await rowOf(3, '2024-02-20')).toMatchObject({ mortality_count: '7' });
    expect(await rowCount(6)).toBe(31);
  });

  test('move rows to where they belong', async () => {
    await farm.write(`
      update batch_growthsample set assignment_id = 2, sample_date = '2024-01-22' where id = 1;
      update environmental_environmentalreading set container_id = 6 where id = 4030;
      update health_individualfishobservation set weight_g = 11.11 where id = 3;
      update health_treatment set treatment_date = '2024-03-06 23:30+00' where id = 1`);
    await settledWithout();
    expect(await rowOf(1, '2024-01-20')).toMatchObject({ anchor_type: null });
    expect(await rowOf(2, '2024-01-22')).toMatchObject({ avg_weight_g: '6.40' });
    await farm.write(`
      update batch_transferaction set actual_execution_date = '2024-02-14' where id = 1;
      update batch_batchcontainerassignment set assignment_date = '2024-02-14' where id = 3;
      update batch_transferaction set dest_assignment_id = 6, actual_execution_date = '2024-03-02' where id = 2`);
    await settledWithout();
    expect(await rowCount(3)).toBe(47);
    await farm.write(`
      update batch_batchcontainerassignment set batch_id = 1, container_id = 1 where id = 6;
      update batch_transferaction set status = 'COMPLETED', dest_assignment_id = 3,
        actual_execution_date = '2024-03-10' where id = 3`);
    await settledWithout();
    expect(await rowOf(6, '2024-03-05')).toMatchObject({ container_id: '1' });
  });

  test('delete', async () => {
    await farm.write(`
      delete from batch_growthsample where id in (3, 20);
      delete from batch_mortalityevent where id between 5 and 9;
      delete from inventory_feedingevent where id = 500;
      delete from environmental_environmentalreading where id between 2000 and 2040;
      delete from harvest_harvestlot; delete from harvest_harvestevent;
      delete from batch_transferaction where id = 2;
      delete from batch_batchcontainerassignment where id = 6`);
    await settledWithout();
    expect(await rowCount(6)).toBe(0);
  });

  test('add columns to their tables', async () => {
    await farm.write(`
      alter table batch_growthsample add column note text not null default 'none';
      alter table batch_batch add column weather jsonb`);
    await farm.write(`
      insert into batch_growthsample values (21, 3, '2024-03-12', 25, 17.10, 1, 1.2, 'with a note');
      update batch_batch set weather = '{"wind": 3}' where id = 2;
      update batch_growthsample set avg_weight_g = 45.20 where id = 5`);
    await settledWithout();
    expect(await rowOf(3, '2024-03-12')).toMatchObject({ avg_weight_g: '17.10' });
  });

  test('remodel', async () => {
    const modelled = () => rowOf(2, '2024-03-10');
    const before = await modelled();
    await farm.write(`
      update scenario_tgcmodel set tgc_value = 2.2 where model_id = 1;
      update scenario_tgc_model_stage set tgc_value = 2.1;
      update scenario_mortality_model_stage set daily_rate_percent = 0.05;
      update batch_lifecyclestage set expected_weight_max_g = 5 where id = 1;
      delete from scenario_temperaturereading where day_number > 50;
      update environmental_environmentalparameter set name = 'TEMPERATURE' where id = 2`);
    await settledWithout();
    const slower = await modelled();
    expect(Number(slower?.['avg_weight_g'])).toBeLessThan(Number(before?.['avg_weight_g']));
    await farm.write(`
      update batch_batch set pinned_projection_run_id = null where id = 1;
      update environmental_environmentalparameter set name = 'Oxygen' where id = 2`);
    await settledWithout();
    // The newest scenario's model is of the other kind.
    expect(await modelled()).toMatchObject({ sources: { growth: 'power' } });
  });
});

describe('what makes no sense', () => {
  test('in the data of a farm is computed and told as anomalies', async () => {
    await farm.write(`
      insert into batch_batchcontainerassignment values
        (10, 1, 1, 1, 700, 8, 0, '2024-02-01', '2024-03-01', false),
        (11, 2, 4, 2, 400, 25, 0, '2024-03-01', '2024-02-01', false);
      insert into batch_transferaction values
        (10, 9, 4, 4, 50, 0, 'COMPLETED', '2024-03-05', null, null, null, null, '', 'AVERAGE'),
        (11, 9, 1, 10, 99999, 0, 'COMPLETED', '2024-02-20', null, null, null, null, '', 'SMALLEST');
      insert into batch_mortalityevent values
        (60, 2, '2024-02-10', 500000, 'UNKNOWN', 4), (61, 2, '2024-02-10', 7, 'UNKNOWN', 11);
      update batch_lifecyclestage set "order" = 7 where id = 2;
      update batch_lifecyclestage set "order" = 30 where id = 3;
      set local session_replication_role = replica;
      update scenario set tgc_model_id = 77, mortality_model_id = 78 where scenario_id = 2`);
    await settledWithout();
    const codes = await farm.inStore<{ code: string }>('select distinct code from anomaly order by code');
    expect(codes.map(({ code }) => code)).toEqual(
      expect.arrayContaining([
        'deaths_exceed_population',
        'departure_before_arrival',
        'event_outside_stay',
        'missing_model',
        'overlapping_assignments',
        'stage_order_gap',
        'transfer_to_itself',
      ]),
    );
    expect(await rowCount(11)).toBe(0);
    expect(await rowCount(10)).toBe(29);
  });
});

describe('poison', () => {
  test('is set aside with the reason, and the partition goes on', async () => {
    const table = 'batch_growthsample';
    const key = await rawKeyOf(farm, table, 4);
    await produce(farm, table, key, Buffer.from('no Avro at all'));
    await produce(farm, table, keyOfRow(key, 900), ofUnknownSchema());
    await produce(farm, table, keyOfRow(key, 901), await noEnvelope(farm));
    // Stands for whatever a store may refuse and an operator can mend there.
    await farm.inStore('alter table fact_growth_sample add constraint whim check (id <> 36)');
    await farm.write(
      'alter table batch_growthsample alter column assignment_id drop not null, alter column sample_size type bigint',
    );
    await farm.write(`
      insert into batch_growthsample values
        (30, null, '2024-03-02', 30, 25.00, 1, 1, ''),
        (31, 4, '2024-03-03', 30, 'NaN', 1, 1, ''),
        (32, 4, 'infinity', 30, 25.00, 1, 1, ''),
        (33, 4, '1912-03-03', 30, 25.00, 1, 1, ''),
        (34, 4, '2024-03-04', 3000000000, 38.50, 1, 1, ''),
        (35, 4, '2024-03-06', 30, 39.50, 1, 1, ''),
        (36, 4, '2024-03-08', 30, 40.50, 1, 1, '');
      insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value) values
        (20010, 4, 1, 'infinity', 9), (20011, 4, 1, '2024-03-04 12:00+00', 'NaN'),
        (20012, 4, 1, '2024-03-05 12:00+00', 9.5)`);
    planted = [
      'batch_growthsample REC001 open',
      'batch_growthsample REC002 open',
      'batch_growthsample REC003 open',
      'batch_growthsample REC008 open',
      'batch_growthsample REC006 open',
      'batch_growthsample REC007 open',
      'batch_growthsample REC007 open',
      'batch_growthsample REC009 open',
      'batch_growthsample REC009 open',
      'environmental_environmentalreading REC007 open',
      'environmental_environmentalreading REC006 open',
    ];
    await farm.settled();
    const unstored = ['batch_growthsample 34', 'batch_growthsample 36'];
    expect(await problemsOf(farm, planted, unstored)).toEqual([]);
    // And without either of them that is so by no accident.
    for (const one of unstored) expect(await problemsOf(farm, planted, [one])).not.toEqual([]);
    expect(await rowOf(4, '2024-03-06')).toMatchObject({
      avg_weight_g: '39.50',
      anchor_type: 'growth_sample',
    });
    const { stdout } = await farm.cli(['dead-letters', 'list']);
    expect(stdout).toMatch(/batch_growthsample.*REC008 +batch_growthsample.assignment_id is null/);
    const place = (code: string) => new RegExp(`^\\S+(?=.*${code})`, 'm').exec(stdout)?.[0] ?? '';
    const decoded = await farm.cli(['dead-letters', 'show', place('REC008'), '--json']);
    expect(JSON.parse(decoded.stdout)).toMatchObject({
      name: 'missingReference',
      key: { decoded: { id: 30 } },
      value: { decoded: { op: 'c', after: { id: 30, assignment_id: null } } },
    });
    const raw = await farm.cli(['dead-letters', 'show', place('REC001')]);
    expect(raw.stdout).toMatch(/header +writer: a test\n[^]*value +not decoded: .*\n +0000 +6e 6f 20/);
  });

  test('is tried again once its cause is mended', async () => {
    await farm.inStore('alter table fact_growth_sample drop constraint whim');
    const dry = await farm.cli(['dead-letters', 'replay', '--dry-run']);
    // What the store will say of the number that is too large is not known before.
    expect(dry.stdout).toBe('2 would be ingested, 9 would be refused again\n');
    const { status, stdout, stderr } = await farm.cli(['dead-letters', 'replay']);
    expect(stdout).toContain('1 ingested, 0 superseded meanwhile, 10 refused again');
    expect(stderr).toContain('batch_growthsample.assignment_id is null');
    expect(status).toBe(1);
    await farm.settled();
    expect(await rowOf(4, '2024-03-08')).toMatchObject({ avg_weight_g: '40.50' });
  });

  test('is superseded by a later good record of its key', async () => {
    await farm.write(`
      update batch_growthsample set sample_size = 31 where id = 4;
      update batch_growthsample set assignment_id = 3 where id = 30;
      update batch_growthsample set avg_weight_g = 37.75 where id = 31;
      update batch_growthsample set sample_size = 30 where id = 34;
      delete from batch_growthsample where id = 32;
      update environmental_environmentalreading set value = 9.25 where id = 20011`);
    planted = [
      'batch_growthsample REC001 superseded',
      'batch_growthsample REC002 open',
      'batch_growthsample REC003 open',
      'batch_growthsample REC008 superseded',
      'batch_growthsample REC006 superseded',
      'batch_growthsample REC007 superseded',
      'batch_growthsample REC007 open',
      'batch_growthsample REC009 superseded',
      'batch_growthsample REC009 settled',
      'environmental_environmentalreading REC007 open',
      'environmental_environmentalreading REC006 superseded',
    ];
    await settledWithout();
    expect(await rowOf(4, '2024-03-03')).toMatchObject({ avg_weight_g: '37.75' });
  });
});

test('the process ends in order, and another goes on where it was', async () => {
  const [process] = farm.running;
  expect(await process?.stop()).toEqual({ code: 0, signal: null });
  await farm.write(`update batch_growthsample set avg_weight_g = 9.50 where id = 6`);
  await farm.start();
  await settledWithout();
  expect(await rowOf(2, '2024-02-15')).toMatchObject({ avg_weight_g: '9.50' });
});

describe('operators ask', () => {
  test('why a row is what it is, and whether all are right', async () => {
    const told = await farm.cli(['explain', '2', '2024-02-15', '--json']);
    expect(told.status).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject({
      equal: true,
      continues: 'stored_row',
      row: { anchor_type: 'growth_sample', carry_weight_g: 9.5 },
      steps: expect.arrayContaining([
        expect.objectContaining({ rule: 'R22', facts: [{ table: 'batch_growthsample', id: 6 }] }),
      ]),
    });
    const { status, stdout } = await farm.cli(['validate', '--deep']);
    expect(stdout).not.toContain('WRONG');
    expect(status).toBe(0);
  });

  test('for a row that was altered to be computed again', async () => {
    await farm.inStore(
      `update daily_state set temp_c = temp_c + 1 where assignment_id = 2 and date = '2024-02-16'`,
    );
    const { status, stdout } = await farm.cli(['validate', '--deep', '--assignment', '2']);
    expect(stdout).toMatch(/^WRONG differs .*\n[^]*assignment 2 of batch 1, 2024-02-16: temp_c$/m);
    expect(status).toBe(1);
    expect((await farm.cli(['explain', '2', '2024-02-16'])).status).toBe(1);
    expect((await farm.cli(['recompute', '--assignment', '2', '--from', '2024-02-16'])).status).toBe(0);
    await settledWithout();
    expect((await farm.cli(['validate', '--deep'])).status).toBe(0);
  });
});

test('the check sees a revision that goes down', async () => {
  const { lab, config } = farm;
  const records = await readTopic(lab, dailyStateTopic(config.topics.namespace));
  const byKey = Map.groupBy(
    records.filter(({ value }) => value !== null),
    ({ key }) => key?.toString('hex'),
  );
  const changed = [...byKey.values()].find((versions) => versions.length > 1) ?? [];
  const topic = await lab.topic();
  const producer = lab.kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: changed.toReversed().map(({ key, value }) => ({ key, value })) });
  await producer.disconnect();
  const { disorder } = await readStates(lab, config.registry.url, topic);
  expect(disorder).toHaveLength(changed.length - 1);
  expect(disorder[0]).toMatch(/revision \d+ after \d+/);
});
