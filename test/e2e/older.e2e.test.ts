/** A farm of the older generation with a short history, and what an operator is told who gets the settings wrong. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { problemsOf } from '../support/pipeline-check.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { Pipeline, urlOf } from '../support/pipeline.ts';
import { freePorts } from '../support/free-ports.ts';
import { endpointsOf } from '../support/stack-provider.ts';
import { inSource } from '../support/stack-source.ts';

const endpoints = endpointsOf(inject('stack'));

let farm: Pipeline;

beforeAll(async () => {
  farm = await Pipeline.open({ endpoints, name: 'older', generation: 'older', horizon: FARM_HORIZON });
  await farm.deploy();
  await farm.start(['ingest', 'recompute']);
  await farm.start(['publish', 'scheduler']);
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
});

const computed = async (): Promise<readonly string[]> => {
  const rows = await farm.inStore<{ sources: { growth?: string; mortality: string } }>(
    'select distinct sources from daily_state where assignment_id = 1',
  );
  return [...new Set(rows.flatMap(({ sources }) => Object.values(sources)))];
};

describe('a farm of the older generation', () => {
  test('that was empty when capture began is computed from its first rows on', async () => {
    await farm.write(farmRows('older'));
    await farm.settled();
    expect(await problemsOf(farm)).toEqual([]);
    expect(await computed()).toEqual(expect.arrayContaining(['tgc_computed', 'cube-root', 'actual']));
  });

  test('pins its scenario directly, and its mortality is the batch’s', async () => {
    await farm.write(`
      update batch_batch set pinned_scenario_id = 2 where id = 1;
      update batch_mortalityevent set batch_id = 1, count = 900 where id = 11;
      insert into scenario_scenarioprojection values (2, 1, '2024-01-03', 3, 5.3, 9990, 53)`);
    await farm.settled();
    expect(await problemsOf(farm)).toEqual([]);
    expect(await computed()).toEqual(expect.arrayContaining(['power']));
    const shared = await farm.inStore<{ sum: string }>(
      `select sum(mortality_count) from daily_state where batch_id = 1 and date = date '2024-01-12' + 22`,
    );
    expect(shared).toEqual([{ sum: '900' }]);
  });
});

describe('is refused, with code and reason:', () => {
  test('a resnapshot of a table that the farm does not have, and going on with one that is not', async () => {
    const absent = await farm.cli(['resnapshot', '--table', 'planning_plannedactivity']);
    expect(absent).toMatchObject({ status: 1, stdout: '' });
    expect(absent.stderr).toMatch(/^error RSN003: the source does not send planning_plannedactivity/m);
    for (const command of ['cancel', 'sweep']) {
      expect((await farm.cli(['resnapshot', command])).stderr).toMatch(/^error RSN004: /m);
    }
  });

  const settings = (user: string, database: string) => ({
    ANCHORLINE_SOURCE_ADMIN_URL: urlOf({ ...endpoints.sourcePg, user, database }),
    ANCHORLINE_SOURCE_PUBLICATION: `${farm.name}_wrong`,
  });

  test('a database that is no farm’s', async () => {
    const ended = await farm.cli(['connectors', 'apply'], settings(endpoints.sourcePg.user, 'postgres'));
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^error CON007: database postgres has none of AquaMind's core tables/m);
  });

  test('a user without the rights to prepare the farm', async () => {
    const user = `${farm.name}_guest`;
    await inSource(endpoints.sourcePg, `create role ${user} login password '${endpoints.sourcePg.password}'`);
    const ended = await farm.cli(['connectors', 'apply'], settings(user, farm.name));
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(new RegExp(`^error CON006: ${user} may not do this in the source`, 'm'));
    await inSource(endpoints.sourcePg, `drop role ${user}`);
  });

  test('a farm’s server that does not answer', async () => {
    const [port] = await freePorts(1);
    const url = urlOf({ ...endpoints.sourcePg, port: port as number, database: farm.name });
    const ended = await farm.cli(['connectors', 'apply'], { ANCHORLINE_SOURCE_ADMIN_URL: url });
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/^error CON009: .* lets nobody in/m);
    expect(ended.stderr).not.toContain(`:${endpoints.sourcePg.password}@`);
  });

  test('a store that was computed with other settings', async () => {
    const ended = await farm.cli(['run'], { ANCHORLINE_ENGINE_GROWTH_MODEL: 'power' });
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(/^error CFG010: .*growthModel is "auto" there and "power" here/m);
  });

  test('a store that was never migrated', async () => {
    const ended = await farm.cli(['run'], { ANCHORLINE_STORE_SCHEMA: `${farm.name}_none` });
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(/^error STO004: /m);
  });
});
