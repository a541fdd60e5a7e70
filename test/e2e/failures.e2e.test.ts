/**
 * The sample batch, played day by day while processes come, go, stand still and are killed, and while Connect and the
 * broker restart. In the end it is all as if nothing had happened: the table equals one full pass, the topic the table.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Role } from '../../src/compose/run.ts';
import { SAMPLE_BATCH, readTables } from '../../src/demo/data.ts';
import { playDay } from '../../src/demo/source-database.ts';
import { timelineOf } from '../../src/demo/timeline.ts';
import type { DayOfWrites } from '../../src/demo/timeline.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import type { PipelineProcess } from '../support/pipeline-process.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { ALL_ROLES, Pipeline } from '../support/pipeline.ts';
import { endpointsOf, providerOf } from '../support/stack-provider.ts';

const plan = inject('stack');
const provider = providerOf(plan);
const SETTLE_MS = 240_000;

let farm: Pipeline;
let days: readonly DayOfWrites[];
let played = 0;

/** Writes the days up to this share of the batch's life; each day is a transaction. */
async function playTo(share: number): Promise<void> {
  const end = Math.floor(days.length * share);
  for (; played < end; played += 1) await playDay(farm.source, days[played] as DayOfWrites);
}

beforeAll(async () => {
  days = timelineOf(await readTables(SAMPLE_BATCH));
  farm = await Pipeline.open({
    endpoints: endpointsOf(plan),
    name: 'failures',
    generation: 'newer',
    horizon: days.at(-1)?.date ?? '',
  });
  await playTo(0.3);
  await farm.deploy();
});

afterAll(async () => {
  await provider.start();
  await farm?.[Symbol.asyncDispose]();
});

/** What ended against expectation is told with its own words. */
function expectHealthy(...processes: readonly PipelineProcess[]): void {
  const ended = processes.filter(({ running }) => !running);
  expect(ended.map(({ roles, complaints }) => ({ roles, complaints }))).toEqual([]);
}

test('a process that joins under load, and leaves in order, loses and repeats nothing', async () => {
  const first = await farm.start();
  const joined = farm.start(['ingest', 'recompute']);
  await playTo(0.36);
  const second = await joined;
  await second.logged(/^owns [1-9]/, 60_000);
  await playTo(0.4);
  expect(await second.stop()).toEqual({ code: 0, signal: null });
  await farm.settled(SETTLE_MS);
  expect(await problemsOf(farm)).toEqual([]);
  expectHealthy(first);
});

test('five kills of processes under load are not to be seen in the end', async () => {
  // Who dies, and what its successor does: fixed, so that a failure can be had again.
  const rounds: readonly (readonly Role[])[] = [
    ['ingest', 'recompute'],
    ALL_ROLES,
    ['recompute', 'publish'],
    ['ingest', 'publish', 'scheduler'],
    ['ingest', 'recompute', 'publish'],
  ];
  for (const [i, roles] of rounds.entries()) {
    const victim = farm.running[i % farm.running.length] as PipelineProcess;
    const successor = farm.start(roles);
    await playTo(0.42 + i * 0.04);
    expect(await victim.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    await playTo(0.44 + i * 0.04);
    await successor;
  }
  // All roles are played by somebody, whoever the last victims were.
  await farm.start();
  await farm.settled(SETTLE_MS);
  expect(await problemsOf(farm)).toEqual([]);
});

test('a publisher that stood still while another took over is fenced when it goes on', async () => {
  for (const process of farm.running) await process.stop();
  const still = await farm.start(['publish']);
  await still.logged(/^leads the shard/, 30_000);
  const worker = await farm.start(['ingest', 'recompute', 'scheduler']);
  await playTo(0.64);
  await eventually('something is published by the first', 60_000, async () => {
    const [log] = await farm.inStore<{ count: string }>('select count(*) from publication_log');
    return Number(log?.count) > 0;
  });
  still.pause();
  const second = await farm.start(['publish']);
  await second.logged(/^leads the shard/, 60_000);
  await playTo(0.7);
  await farm.settled(SETTLE_MS);
  still.resume();
  await still.logged(/^no longer leads the shard/, 60_000);
  await playTo(0.72);
  await farm.settled(SETTLE_MS);
  expect(await problemsOf(farm)).toEqual([]);
  expectHealthy(still, second, worker);
});

test('Connect killed under load resumes where it was', async () => {
  await playTo(0.76);
  await provider.kill('connect');
  await playTo(0.82);
  await provider.start();
  await farm.settled(SETTLE_MS);
  expect(await problemsOf(farm)).toEqual([]);
});

test('a broker that restarts under load is waited for by everybody', async () => {
  const processes = farm.running;
  await playTo(0.86);
  await provider.kill('kafka');
  await playTo(0.9);
  await provider.start();
  await playTo(1);
  await farm.settled(SETTLE_MS);
  expect(await problemsOf(farm)).toEqual([]);
  expectHealthy(...processes);
});

test('the batch has been played to its end', async () => {
  const [rows] = await farm.inStore<{ assignments: string; last: string }>(
    'select count(distinct assignment_id) as assignments, max(date)::text as last from daily_state',
  );
  expect(rows).toEqual({ assignments: '32', last: days.at(-1)?.date });
});
