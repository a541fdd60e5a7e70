/**
 * A replay takes the place of the served schema while processes run and the farm is written to: nothing is missed, nothing
 * that is equal is published again, and killed on the way it changes nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { dailyStateTopic } from '../../src/domain/topics.ts';
import { History, RAISE_IDENTITIES } from '../support/fire-history.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { endOf } from '../support/pipeline-work.ts';
import { Pipeline } from '../support/pipeline.ts';
import { Random } from '../support/sim-random.ts';
import { PROJECT_DIR, endpointsOf } from '../support/stack-provider.ts';

let farm: Pipeline;
const made = new Set<string>();

beforeAll(async () => {
  const endpoints = endpointsOf(inject('stack'));
  farm = await Pipeline.open({ endpoints, name: 'promote', generation: 'newer', horizon: FARM_HORIZON });
  await farm.write(farmRows('newer'));
  await farm.source.query(RAISE_IDENTITIES);
  await farm.deploy();
  await farm.start();
  await farm.start(['ingest', 'recompute']);
  await farm.settled();
});

afterAll(async () => {
  for (const schema of made) await farm.inStore(`drop schema if exists ${schema} cascade`);
  await farm?.[Symbol.asyncDispose]();
});

const named = (name: string): string => `${farm.name}_${name}`;

async function well(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, stdout, stderr } = await farm.cli(args, env);
  expect({ args, status, stderr: status === 0 ? '' : stderr }).toEqual({ args, status: 0, stderr: '' });
  return stdout;
}

async function replayed(name: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  made.add(named(name));
  await well(['replay', '--as', named(name)], env);
  return named(name);
}

/** What a promotion printed: rows published anew, rows gone, and the schema that is kept. */
async function promoted(schema: string, env: Readonly<Record<string, string>> = {}) {
  const text = await well(['promote', schema, '--yes'], env);
  const [, changed, gone] = /(\d+) rows are published anew, (\d+) are gone/.exec(text) ?? [];
  const [, keptAs = ''] = /kept as (\w+);/.exec(text) ?? [];
  made.add(keptAs);
  return { changed: Number(changed), gone: Number(gone), keptAs };
}

/** Writes to the farm until told to end; resolves then. */
function writing(seed: number): () => Promise<void> {
  const history = new History(new Random(seed));
  const told = new AbortController();
  const ended = (async () => {
    while (!told.signal.aborted) {
      await farm.write(history.next().statements.join('; '));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  })();
  return async () => {
    told.abort();
    await ended;
  };
}

test('what is equal is not published again, and the one before is kept, to be dropped or promoted back', async () => {
  const schema = await replayed('equal');
  expect(await well(['diff', 'live', schema])).toMatch(/are equal/);
  const states = [dailyStateTopic(farm.config.topics.namespace)];
  const before = await endOf(farm, states);
  expect(await well(['promote', schema, '--dry-run'])).toMatch(/are equal/);
  const { keptAs, ...counts } = await promoted(schema);
  expect(counts).toEqual({ changed: 0, gone: 0 });
  await farm.settled();
  expect(await endOf(farm, states)).toBe(before);
  expect(await farm.cli(['promote', schema, '--yes'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/PRO001.*was promoted already/s),
  });
  const back = await promoted(keptAs);
  expect(back).toMatchObject({ changed: 0, gone: 0 });
  await well(['replay', 'drop', back.keptAs, '--yes']);
  await farm.write('update batch_growthsample set avg_weight_g = 7.77 where id = 1');
  await farm.settled();
  expect(await problemsOf(farm)).toEqual([]);
});

test('under load nothing is missed and nothing comes twice in another form', async () => {
  const stop = writing(11);
  const schema = await replayed('loaded');
  await well('anchors add --assignment 4 --date 2024-02-15 --weight 27.5 --note by-hand'.split(' '));
  await promoted(schema);
  await stop();
  await farm.settled();
  expect(farm.running).toHaveLength(2);
  const weighings = await farm.inStore('select 1 from fact_manual_anchor');
  expect(weighings).toHaveLength(1);
  await well(['validate', '--deep']);
});

test('killed on the way it has changed nothing, and can be given again', async () => {
  const stop = writing(12);
  const schema = await replayed('killed');
  for (const ms of [1_500, 3_000, 4_500]) {
    const child = spawn(join(PROJECT_DIR, 'bin', 'anchorline'), ['promote', schema, '--yes'], {
      env: { ...process.env, ...farm.env },
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, ms))]);
    child.kill('SIGKILL');
    await exit;
  }
  const left = await farm.inStore('select 1 from pg_namespace where nspname = $1', [schema]);
  if (left.length > 0) await promoted(schema);
  await stop();
  await farm.settled();
  for (const { kept_as } of await farm.inStore<{ kept_as: string }>('select kept_as from promotion'))
    made.add(kept_as);
  const [last] = await farm.inStore<{ name: string }>('select name from promotion order by promoted_at desc');
  expect(last?.name).toBe(schema);
  await well(['validate', '--deep']);
});

test('one of other settings stops the processes that have the old ones, and those that have the new ones go on', async () => {
  const other = { ANCHORLINE_ENGINE_RECORDED_DEATHS_IN_COUNT: 'true' };
  const schema = await replayed('other', other);
  const diff = await farm.cli(['diff', 'live', schema, '--json']);
  expect(diff.status).toBe(1);
  const { summary } = JSON.parse(diff.stdout) as { summary: { differing: number; onlyLeft: number } };
  const { changed, gone } = await promoted(schema, other);
  expect({ changed, gone }).toEqual({ changed: summary.differing, gone: summary.onlyLeft });
  await farm.write('update batch_growthsample set avg_weight_g = avg_weight_g + 1');
  await eventually('a process says that it computes otherwise', 60_000, () =>
    farm.running.some(({ messages }) => messages.some((message) => message.includes('STO011'))),
  );
  for (const process of farm.running) await process.stop();
  await farm.start(undefined, other);
  await well(['validate', '--deep'], other).catch(() => undefined);
  await farm.write('update batch_growthsample set avg_weight_g = 9.99 where id = 1');
  await expect
    .poll(
      async () => (await farm.inStore('select 1 from dirt union all select 1 from publication_log')).length,
      {
        timeout: 60_000,
      },
    )
    .toBe(0);
  await well(['validate', '--deep'], other);
});
