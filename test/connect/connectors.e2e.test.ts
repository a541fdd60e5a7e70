/** Deploying, asking, restarting and removing by the commands, as an operator does; nothing of Anchorline runs but these. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ConnectClient } from '../../src/connect/client.ts';
import type { Ended } from '../support/cli.ts';
import { freePorts } from '../support/free-ports.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { Pipeline, urlOf } from '../support/pipeline.ts';
import { PROJECT_DIR, endpointsOf } from '../support/stack-provider.ts';
import { inSource } from '../support/stack-source.ts';

const endpoints = endpointsOf(inject('stack'));
const client = new ConnectClient(endpoints.connectUrl);
const nowhere = { ANCHORLINE_CONNECT_URL: 'http://127.0.0.1:1' };

let farm: Pipeline;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-environments-'));
  farm = await Pipeline.open({ endpoints, name: 'deployed', generation: 'older', horizon: FARM_HORIZON });
  await farm.write(farmRows('older'));
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const run = (command: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  farm.cli(command.split(' '), env);

/** An environment that stands on the shipped definition, as the setting that chooses it. */
async function environment(name: string, keys: string): Promise<Record<string, string>> {
  const file = join(folder, `${name}.yaml`);
  const base = join(PROJECT_DIR, 'connectors', 'farm-postgres.yaml');
  await writeFile(file, `base: ${base}\n${keys}\n`);
  return { ANCHORLINE_CONNECT_DEFINITION: file };
}

/** What the connector leaves in the source, by name. */
async function leftInSource(): Promise<readonly string[]> {
  const { slot, publication, role } = farm.config.source;
  const rows = await inSource<{ what: string }>(
    { ...endpoints.sourcePg, database: farm.name },
    `select 'slot' as what from pg_replication_slots where slot_name = $1
     union all select 'publication' from pg_publication where pubname = $2
     union all select 'role' from pg_roles where rolname = $3`,
    [slot, publication, role],
  );
  return rows.map(({ what }) => what);
}

describe('topics', () => {
  test('are planned, made, and then right', async () => {
    const topics = async () =>
      (await farm.lab.admin.listTopics()).filter((topic) => topic.startsWith(`${farm.name}_farm.`));
    const planned = await run('topics plan --exit-code');
    expect(planned.status).toBe(3);
    expect(planned.stdout).toContain(
      `+ ${farm.name}_farm.public.batch_growthsample: 2 partitions, 1 copies, cleanup.policy=compact`,
    );
    expect(await topics()).toEqual([]);
    expect((await run('topics apply')).status).toBe(0);
    expect((await topics()).length).toBeGreaterThan(20);
    const after = await run('topics plan --exit-code');
    expect(after).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') });
    const more = await run('topics plan --exit-code', { ANCHORLINE_TOPICS_LARGE_PARTITIONS: '3' });
    expect(more.status).toBe(0);
    expect(more.stdout).toContain('! ');
  });

  test('that the broker cannot give are refused before anything is done', async () => {
    const env = { ANCHORLINE_TOPICS_PREFIX: `${farm.name}_other`, ANCHORLINE_TOPICS_REPLICATION: '9' };
    for (const command of ['topics plan', 'topics apply']) {
      const { status, stderr } = await run(command, env);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^error CON013: .*INVALID_REPLICATION_FACTOR.*lower topics\.replication/m);
    }
  });
});

describe('a deployment', () => {
  test('is planned without touching anything', async () => {
    const { status, stdout } = await run('connectors plan --exit-code');
    expect(status).toBe(3);
    expect(stdout).toContain('source: 0 tables are captured, 26 to add, 3 missing');
    expect(stdout).toContain(`+ role ${farm.name}_cdc: login, replication`);
    expect(stdout).toContain('public.planning_activitytemplate (only the newer schema has it)');
    expect(stdout).toContain('to be created');
    expect(stdout).toContain('+ database.password: ***');
    expect(stdout).toContain('cannot try the login');
    expect(await leftInSource()).toEqual([]);
    expect(await client.state(farm.name)).toBeNull();
  });

  test('is applied, and then there is nothing to do', async () => {
    const applied = await run('connectors apply');
    expect(applied.stderr).not.toContain('error');
    expect(applied.stdout).toMatch(
      /26 to add[^]*to create, 0 to change[^]*26 tables are captured[^]*: created[^]*: running/,
    );
    expect(await run('connectors plan --exit-code')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/26 tables are captured, 0 to add[^]*RUNNING\nnothing to do/),
    });
    expect((await run('connectors apply')).stdout).toMatch(/nothing to do\n.*: unchanged/);
  });

  test('of another environment differs key by key', async () => {
    const env = await environment('north', 'heartbeat.interval.ms: 2000\nmax.batch.size: null');
    const plan = await run('connectors plan --exit-code', env);
    expect(plan.status).toBe(3);
    expect(plan.stdout).toContain('~ heartbeat.interval.ms: 1000 → 2000');
    expect(plan.stdout).toContain('- max.batch.size: 8192');
    expect(plan.stdout).toContain('0 to create, 1 to change, 1 to remove');
    expect((await run('connectors apply', env)).stdout).toMatch(/: updated\n.*: running/);
    expect((await run('connectors plan --exit-code', env)).status).toBe(0);
    expect((await run('connectors plan')).stdout).toContain('~ heartbeat.interval.ms: 2000 → 1000');
  });

  test('that the plugin refuses is told with its reason, and changes nothing', async () => {
    const env = await environment('wrong', 'max.queue.size: many');
    for (const command of ['connectors plan', 'connectors apply']) {
      const { status, stdout, stderr } = await run(command, env);
      expect(status).toBe(1);
      expect(stdout).toContain('! Connect refuses max.queue.size');
      expect(stderr).toMatch(/^error CON004: [^]*max\.queue\.size: /m);
    }
    expect((await client.config(farm.name))?.['max.queue.size']).toBe('16384');
  });

  test('with another password sets it in both places, and shows it nowhere', async () => {
    const env = { ANCHORLINE_SOURCE_PASSWORD: 'another one' };
    const plan = await run('connectors plan', env);
    expect(plan.stdout).toContain(`~ role ${farm.name}_cdc: password: *** → ***`);
    expect(plan.stdout).toContain('~ database.password: *** → ***');
    const applied = await run('connectors apply', env);
    expect(applied.stdout).toContain(': running');
    expect(plan.stdout + applied.stdout + applied.stderr).not.toMatch(/another one|anchorline_cdc'/);
    // The role logs in with the new one alone: Connect would say so of the old.
    const behind = await run('connectors plan --no-prepare');
    expect(behind.status).toBe(1);
    expect(behind.stderr).toMatch(/^error CON004: [^]*password authentication failed/m);
    expect((await run('connectors apply')).stdout).toContain(': running');
  });
});

describe('status', () => {
  test('is well once it reads, for people and as JSON', async () => {
    // A beat from before the last restart is told as well, until the slot is in use again.
    let told: { healthy?: boolean; slot?: { active: boolean } } = {};
    await eventually('the connector streams', 60_000, async () => {
      told = JSON.parse((await run('connectors status --json')).stdout) as typeof told;
      return told.healthy === true && told.slot?.active === true;
    });
    expect((await run('connectors status')).status).toBe(0);
    expect(told).toMatchObject({
      name: farm.name,
      healthy: true,
      mends: [],
      connector: { state: 'RUNNING', tasks: [{ id: 0, state: 'RUNNING' }] },
      slot: { slot: farm.name, active: true },
      heartbeat: { ageMs: expect.any(Number), intervalMs: 1000 },
    });
  });

  test('says what is not known where the farm or Kafka is away', async () => {
    const [port] = await freePorts(1);
    const { stdout } = await run('connectors status', {
      ANCHORLINE_SOURCE_ADMIN_URL: urlOf({ ...endpoints.sourcePg, port: port as number }),
      ANCHORLINE_KAFKA_BROKERS: `127.0.0.1:${port}`,
      ANCHORLINE_LOG_LEVEL: 'silent',
    });
    expect(stdout).toMatch(/task 0: RUNNING[^]*slot: unknown[^]*heartbeat: unknown/);
  });
});

describe('restart', () => {
  test('starts what is wanted and nothing else', async () => {
    expect(await run('connectors restart --failed-only')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('nothing has failed'),
    });
    expect((await run('connectors restart --task 0')).stdout).toMatch(/task 0 is started again\n.*running/);
    expect((await run('connectors restart')).stdout).toMatch(/with its tasks\n.*running/);
    expect((await run('connectors restart --task 7')).stderr).toMatch(/^error CON014: .*it has task 0/m);
    expect((await run('connectors restart --task 0 --failed-only')).status).toBe(2);
  });

  test('lets a stopped one go on', async () => {
    await client.stop(farm.name, 60_000);
    const { status, stdout } = await run('connectors status');
    expect(status).toBe(1);
    expect(stdout).toContain('mend: `anchorline connectors restart` lets it go on');
    expect((await run('connectors plan')).stdout).toContain('! it is STOPPED and stays so');
    expect((await run('connectors restart')).stdout).toMatch(/was STOPPED, goes on\n.*running/);
  });

  test('of one that is not there names those that are', async () => {
    const { status, stderr } = await run('connectors restart', { ANCHORLINE_CONNECT_CONNECTOR: 'nobody' });
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error CON014: there is no connector nobody .*${farm.name}`, 'm'));
  });
});

describe('a task that fails', () => {
  test('is restarted in growing intervals, and told with trace and mend when that does not help', async () => {
    const env = await environment('small', 'producer.override.max.request.size: 10');
    await run('connectors apply --no-wait', env);
    const [port] = await freePorts(1);
    expect((await run('migrate')).status).toBe(0);
    const scheduler = await farm.start(['scheduler'], {
      ANCHORLINE_CONNECT_SUPERVISE_MS: '200',
      ANCHORLINE_CONNECT_RESTART_FIRST_MS: '200',
      ANCHORLINE_CONNECT_RESTART_LONGEST_MS: '60000',
      ANCHORLINE_HTTP_PORT: String(port),
    });
    await scheduler.logged(/^task 0 of connector \S+ fails again after each of 2 restarts/, 120_000);
    const told = scheduler.messages.filter((message) => message.startsWith('task 0 of connector'));
    expect(told[0]).toMatch(/failed and is started again/);
    expect(told.find((message) => message.includes('fails again'))).toMatch(/mend: .*max\.request\.size/);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(
      new RegExp(`^anchorline_connector_restarts_total\\{connector="${farm.name}"\\} [3-9]`, 'm'),
    );
    expect(metrics).toContain(
      `anchorline_connector_task_state{connector="${farm.name}",task="0",state="FAILED"}`,
    );
    await scheduler.stop();
  });

  test('runs once its cause is mended, whatever Connect still tells of before', async () => {
    await eventually('nobody restarts it, so it stays failed', 60_000, async () => {
      return (await client.state(farm.name))?.tasks[0]?.state === 'FAILED';
    });
    const applied = await run('connectors apply');
    expect(applied.stderr).not.toContain('error');
    expect(applied.stdout).toMatch(/~ task 0: FAILED → started again[^]*: updated\n.*: running/);
    await eventually('the connector streams', 60_000, async () => {
      return (await run('connectors status')).status === 0;
    });
  });
});

describe('remove', () => {
  test('stops in order, keeps what is not named, and says what that means', async () => {
    const { status, stdout } = await run('connectors remove');
    expect(status).toBe(0);
    expect(stdout).toMatch(/: stopped\n.*: removed\n/);
    expect(stdout).toMatch(/kept: slot .*keeps all WAL for it from now on \(so far: [\d.]+ [kM]?B\)/);
    expect(stdout).toContain('drop it later with `anchorline connectors remove --drop-slot`');
    expect(stdout).toContain('kept: the offsets in Connect');
    expect(await leftInSource()).toEqual(['slot', 'publication', 'role']);
    expect(await client.state(farm.name)).toBeNull();
    expect((await run('connectors remove')).stdout).toContain('there is none');
  });

  test('keeps what lets another one go on where the first was', async () => {
    await farm.write(`update batch_batch set batch_number = 'meanwhile' where id = 1`);
    expect((await run('connectors apply')).stdout).toMatch(/: created\n.*: running/);
    await eventually('the connector streams', 60_000, async () => {
      return (await run('connectors status')).status === 0;
    });
  });

  test('refuses to leave a slot that nothing can read', async () => {
    const { status, stderr } = await run('connectors remove --drop-publication');
    expect(status).toBe(2);
    expect(stderr).toContain('--drop-slot too');
    expect(await client.state(farm.name)).not.toBeNull();
  });

  test('takes away all that is named', async () => {
    const { status, stdout } = await run('connectors remove --drop-slot --drop-publication --drop-role');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /offsets are forgotten[^]*slot \S+: dropped[^]*publication \S+: dropped[^]*role \S+: dropped/,
    );
    expect(stdout).not.toMatch(/kept: (slot|publication|role|the offsets)/);
    expect(await leftInSource()).toEqual([]);
    expect((await run('connectors apply')).stdout).toMatch(
      /26 tables are captured[^]*: created\n.*: running/,
    );
    await eventually('the connector streams', 60_000, async () => {
      return (await run('connectors status')).status === 0;
    });
  });

  test('gives the source its WAL back while Connect is down', async () => {
    expect((await run('connectors remove', nowhere)).stderr).toMatch(/^error CON002: /m);
    expect(await leftInSource()).toContain('slot');
    await client.stop(farm.name, 60_000);
    const { status, stdout } = await run('connectors remove --drop-slot --no-connect', nowhere);
    expect(status).toBe(0);
    expect(stdout).toContain('dropped');
    expect(await leftInSource()).toEqual(['publication', 'role']);
    // The offsets are still there: without them a new one would skip what it missed, so it does not start.
    const restarted = await run('connectors restart');
    expect(restarted.stderr).toMatch(
      /^error CON005: [^]*no longer available[^]*mend: .*resnapshot --all --new-slot/m,
    );
  });

  test('leaves a role that is not the connector’s alone', async () => {
    const admin = { ...endpoints.sourcePg, database: farm.name };
    await inSource(admin, `create table precious (id int); alter table precious owner to ${farm.name}_cdc`);
    const { status, stderr } = await run('connectors remove --drop-role');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error CON015: role \S+ owns 1 objects/m);
    await inSource(admin, 'drop table precious');
    await inSource(endpoints.sourcePg, `grant usage on schema public to ${farm.name}_cdc`);
    expect((await run('connectors remove --drop-role')).stderr).toMatch(
      /^error CON015: .*1 object in database \S+/m,
    );
    await inSource(endpoints.sourcePg, `revoke usage on schema public from ${farm.name}_cdc`);
    expect((await run('connectors remove --drop-role')).stdout).toMatch(/role \S+: dropped, with its rights/);
  });
});

describe('what is wrong on the way is told with code and mend:', () => {
  test.each([
    ['no Connect', nowhere, 'CON002', 'start it, or check connect.url'],
    ['another server', { ANCHORLINE_CONNECT_URL: endpoints.registryUrl }, 'CON003', 'is not Kafka Connect'],
    ['no such definition', { ANCHORLINE_CONNECT_DEFINITION: 'none.yaml' }, 'CON001', 'none.yaml'],
  ])('%s', async (_what, env, code, words) => {
    for (const command of ['connectors plan', 'connectors apply']) {
      const { status, stderr } = await run(command, env);
      expect(status).toBe(1);
      expect(stderr).toMatch(new RegExp(`^error ${code}: .*${words}`, 'm'));
    }
  });

  test.each([
    ['a wrong password of the administrator', { password: 'no' }, 'CON009', "mend \\w+'s password"],
    ['a database that is not there', { database: 'nowhere' }, 'CON007', 'there is no database nowhere'],
  ])('%s', async (_what, part, code, words) => {
    const url = urlOf({ ...endpoints.sourcePg, database: farm.name, ...part });
    for (const command of [
      'connectors plan',
      'connectors apply',
      'connectors remove --drop-slot --no-connect',
    ]) {
      const { status, stderr } = await run(command, { ANCHORLINE_SOURCE_ADMIN_URL: url });
      expect(status).toBe(1);
      expect(stderr).toMatch(new RegExp(`^error ${code}: .*${words}`, 'm'));
    }
  });

  test('a plugin that Connect lacks', async () => {
    const env = await environment('plugin', 'connector.class: no.such.Connector');
    const { stderr } = await run('connectors plan', env);
    expect(stderr).toMatch(/^error CON003: .*no\.such\.Connector/m);
  });
});
