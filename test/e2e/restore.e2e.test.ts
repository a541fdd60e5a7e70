/** The state store is set back to an earlier time while the farm, Kafka and the consumers of the topic went on. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { endpointsOf } from '../support/stack-provider.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { Pipeline } from '../support/pipeline.ts';

let farm: Pipeline;

beforeAll(async () => {
  farm = await Pipeline.open({
    endpoints: endpointsOf(inject('stack')),
    name: 'restore',
    generation: 'newer',
    horizon: FARM_HORIZON,
  });
  await farm.write(farmRows('newer'));
  await farm.deploy();
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
});

/** All but those of resnapshots, which are empty here. */
const tables = async (): Promise<string[]> => {
  const found = await farm.inStore<{ tablename: string }>(
    `select tablename from pg_tables where schemaname = $1 and tablename not in ('migration', 'build')
       and tablename not like 'backup\\_%' and tablename not like 'resnapshot%'`,
    [farm.name],
  );
  return found.map(({ tablename }) => tablename);
};

/** As a physical backup would: every table and the sequences, of one moment. */
async function backUp(): Promise<void> {
  for (const table of await tables()) await farm.inStore(`create table backup_${table} as table ${table}`);
  await farm.inStore('create table backup_sequence as select last_value from anchorline_shared.revision');
}

async function restore(): Promise<void> {
  for (const table of await tables()) {
    await farm.inStore(`truncate ${table}`);
    await farm.inStore(`insert into ${table} overriding system value table backup_${table}`);
  }
  await farm.inStore(`select setval('anchorline_shared.revision', last_value) from backup_sequence`);
}

const correct = (grams: number) =>
  farm.write(`update batch_growthsample set avg_weight_g = ${grams} where id = 1`);

test('publishers of a restored store wait, and a reconciled one is as if nothing had been', async () => {
  const before = await farm.start();
  await farm.settled();
  await correct(6.6);
  await farm.settled();
  await before.stop();
  await backUp();

  const between = await farm.start();
  await correct(7.1);
  await farm.write('delete from batch_mortalityevent where id = (select min(id) from batch_mortalityevent)');
  await farm.settled();
  await between.stop();
  await restore();

  const behind = await farm.start();
  await behind.logged(/run `anchorline reconcile`/, 60_000);
  // It ingests and computes what came since the backup; only publishing waits.
  await eventually('rows wait to be published', 60_000, async () => {
    return (await farm.inStore('select 1 from publication_log')).length > 0;
  });
  await behind.stop();

  const reconciled = await farm.cli(['reconcile']);
  expect(reconciled).toMatchObject({ status: 0 });
  await farm.start();
  await farm.settled();
  expect(await problemsOf(farm)).toEqual([]);
});
