/** A source's preparation on a real Postgres: the plan changes nothing, apply does what it says, errors name the mend. */
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { renderDifferences } from '../../src/connect/difference.ts';
import { type PgConfig, withSource } from '../../src/connect/source-client.ts';
import { planSource } from '../../src/connect/source-plan.ts';
import { type SourceSettings, readSource } from '../../src/connect/source-state.ts';
import { prepareSource } from '../../src/connect/source.ts';
import { createSourceSchema } from '../../src/demo/source-database.ts';
import type { SchemaGeneration } from '../../src/demo/source-database.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

let server: PostgresServer;
let admin: PgConfig;
let settings: SourceSettings;
let count = 0;

beforeAll(async () => {
  server = await startPostgres({ wal_level: 'logical', max_replication_slots: '2' });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

/** A farm of its own for every test: roles are the server's, so they have names of their own too. */
beforeEach(async () => {
  count += 1;
  const name = `farm${count}`;
  const { host, port, user } = server;
  admin = { host, port, user, password: '', database: 'postgres' };
  settings = {
    sqlDir: join(PROJECT_DIR, 'connectors', 'sql'),
    role: `cdc${count}`,
    password: 'it is secret: $1 ’',
    publication: 'pub',
    slot: `slot${count}`,
  };
  await run(`create database ${name}`);
  admin = { ...admin, database: name };
});

const run = <T extends pg.QueryResultRow>(sql: string, as: PgConfig = admin): Promise<T[]> =>
  withSource(as, async (client) => (await client.query<T>(sql)).rows);

const farm = (generation: SchemaGeneration) =>
  withSource(admin, (client) => createSourceSchema(client, generation));

const plan = async () => planSource(await readSource(admin, settings), settings);
const planned = async () => renderDifferences((await plan()).differences);

describe('preparing', () => {
  test('does what the plan says, once; the plan itself changes nothing', async () => {
    await farm('older');
    const before = await plan();
    expect(renderDifferences(before.differences).slice(0, 5)).toEqual([
      `+ role ${settings.role}: login, replication`,
      '+ table anchorline.heartbeat',
      '+ table anchorline.signal',
      '+ table anchorline.awaiting_snapshot',
      '+ publication pub: insert, update, delete',
    ]);
    expect(before.tables.missing).toEqual([
      'public.scenario_projection_run',
      'public.planning_activitytemplate',
      'public.planning_plannedactivity',
    ]);
    expect(await plan()).toEqual(before);
    const { captured } = await prepareSource(admin, settings);
    expect(captured.map((name) => `public.${name}`)).toEqual(before.tables.toAdd);
    const after = await plan();
    expect(after).toMatchObject({ differences: [], warnings: [], canLogIn: true, needSnapshot: [] });
    expect(after.tables.present).toEqual(before.tables.toAdd);
  });

  test('adds a table that appears later, and remembers that its rows were not asked for', async () => {
    await farm('older');
    await prepareSource(admin, settings);
    await run('create table planning_activitytemplate (id bigint primary key, name text)');
    expect(await planned()).toEqual([
      `+ right of ${settings.role}: SELECT on table public.planning_activitytemplate`,
      '+ public.planning_activitytemplate in publication pub',
    ]);
    const { needSnapshot } = await prepareSource(admin, settings);
    expect(needSnapshot).toEqual(['public.planning_activitytemplate']);
    // Whoever was interrupted now finds it again.
    expect(await planned()).toEqual([
      '+ snapshot of public.planning_activitytemplate: it was captured later',
    ]);
    expect((await prepareSource(admin, settings)).needSnapshot).toEqual(needSnapshot);
  });

  test('mends what has drifted', async () => {
    await farm('newer');
    await prepareSource(admin, settings);
    await run(`alter role ${settings.role} noreplication password 'other';
      revoke select on batch_batch from ${settings.role}; revoke insert on anchorline.heartbeat from ${settings.role};
      grant delete on batch_batch to ${settings.role};
      alter publication pub set (publish = 'insert, truncate'); alter publication pub drop table batch_batch`);
    // `trust` lets every password in here: that one is seen where the stack asks for it.
    const drifted = [
      `+ role ${settings.role}: REPLICATION`,
      `+ right of ${settings.role}: INSERT on table anchorline.heartbeat`,
      `+ right of ${settings.role}: SELECT on table public.batch_batch`,
      `- right of ${settings.role}: DELETE on table public.batch_batch`,
      '~ publication pub: publishes: insert, truncate → insert, truncate, update, delete',
      '+ public.batch_batch in publication pub',
    ];
    expect(await planned()).toEqual(drifted);
    await prepareSource(admin, settings);
    expect(await planned()).toEqual(['+ snapshot of public.batch_batch: it was captured later']);
  });

  test('leaves a table without a key out, and tells of one that is published in part', async () => {
    await farm('newer');
    await run('alter table health_treatment drop constraint health_treatment_pkey cascade');
    await prepareSource(admin, settings);
    await run('alter publication pub set table batch_batch where (id > 5)');
    const { warnings, tables } = await plan();
    expect(tables.unkeyed).toEqual(['public.health_treatment']);
    expect(warnings.join('\n')).toMatch(/health_treatment has no primary key[^]*batch_batch .*row filter/);
  });

  test('takes a publication of all tables as it is', async () => {
    await farm('newer');
    await run('create publication pub for all tables with (publish_via_partition_root = true)');
    await prepareSource(admin, settings);
    expect(await plan()).toMatchObject({ differences: [], tables: { toAdd: [] } });
  });

  test('is all or nothing', async () => {
    await farm('newer');
    await run('create schema anchorline; create domain anchorline.awaiting_snapshot as int');
    await expect(prepareSource(admin, settings)).rejects.toMatchObject({ code: 'CON012' });
    expect(await run(`select 1 from pg_roles where rolname = '${settings.role}'`)).toEqual([]);
  });
});

describe('is refused, with code and mend:', () => {
  test('a database that is no farm’s', async () => {
    await expect(plan()).rejects.toMatchObject({
      code: 'CON007',
      message: expect.stringMatching(/database farm\d+ has none of AquaMind's core tables/),
    });
  });

  test('a database that is not there', async () => {
    await expect(readSource({ ...admin, database: 'nowhere' }, settings)).rejects.toMatchObject({
      code: 'CON007',
      message: expect.stringContaining('there is no database nowhere'),
    });
  });

  test('a user without rights', async () => {
    await farm('newer');
    await run('create role guest login');
    await expect(prepareSource({ ...admin, user: 'guest' }, settings)).rejects.toMatchObject({
      code: 'CON006',
      message: expect.stringMatching(/guest may not do this .*: run this as a superuser/),
    });
    await prepareSource(admin, settings);
    // Not even looking is allowed any more.
    await expect(readSource({ ...admin, user: 'guest' }, settings)).rejects.toMatchObject({ code: 'CON006' });
    await run('drop role guest');
  });

  test('a server that nobody answers for', async () => {
    await expect(readSource({ ...admin, port: 1 }, settings)).rejects.toMatchObject({
      code: 'CON009',
      retryable: true,
      message: expect.stringContaining('check host and port in source.adminUrl'),
    });
  });

  test('a source that goes away in the middle', async () => {
    const lost = withSource(admin, (client) => client.query('select pg_terminate_backend(pg_backend_pid())'));
    await expect(lost).rejects.toMatchObject({ code: 'CON009', retryable: true });
  });

  test('a source without a free slot, but not one that has ours already', async () => {
    await farm('newer');
    await run(`select pg_create_logical_replication_slot('a', 'pgoutput'),
      pg_create_logical_replication_slot('${settings.slot}', 'pgoutput')`);
    await expect(plan()).resolves.toMatchObject({ canLogIn: false });
    settings = { ...settings, slot: 'third' };
    await expect(plan()).rejects.toMatchObject({
      code: 'CON011',
      message: expect.stringContaining('max_replication_slots'),
    });
    await run('select pg_drop_replication_slot(slot_name) from pg_replication_slots');
  });

  test('a server that keeps no logical WAL', async () => {
    await using other = await startPostgres();
    admin = { ...admin, port: other.port, database: 'postgres' };
    await farm('newer');
    await expect(plan()).rejects.toMatchObject({
      code: 'CON008',
      message: expect.stringContaining('ALTER SYSTEM SET wal_level = logical'),
    });
  });
});
