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
import { dailyStateTopic } from '../../src/domain/topics.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import type { PipelineProcess } from '../support/pipeline-process.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { endOf, inFlight } from '../support/pipeline-work.ts';
import type { Work } from '../support/pipeline-work.ts';
import { ALL_ROLES, Pipeline } from '../support/pipeline.ts';
import { endpointsOf, providerOf } from '../support/stack-provider.ts';

const plan = inject('stack');
const provider = providerOf(plan);
const SETTLE_MS = 240_000;

let farm: Pipeline;
let days: readonly DayOfWrites[];
let played = 0;

/** Writes the days up to this share of the batch's life, or until the signal; each day is a transaction. */
async function playTo(share: number, until?: AbortSignal): Promise<void> {
  const end = Math.floor(days.length * share);
  for (; played < end; played += 1) {
    if (until?.aborted === true) return;
    await playDay(farm.source, days[played] as DayOfWrites);
  }
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

/** Who dies next in the order of their starting, in the midst of which work, and what its successor does. */
interface Round {
  readonly work: Work;
  readonly successor: readonly Role[];
}

/** Fixed, so that a failure can be had again. The victims: all roles, ingest + recompute, then the successors. */
const ROUNDS: readonly Round[] = [
  { work: 'publications', successor: ALL_ROLES },
  { work: 'lag', successor: ['recompute', 'publish'] },
  { work: 'dirt', successor: ['ingest', 'publish', 'scheduler'] },
  { work: 'dirt', successor: ['ingest', 'recompute', 'publish'] },
  { work: 'lag', successor: ALL_ROLES },
];

/** Writes days until the kill has hit, and kills as soon as the work is seen. */
async function killInTheMidstOf(victim: PipelineProcess, work: Work): Promise<void> {
  const killed = new AbortController();
  const load = playTo(0.62, killed.signal);
  await eventually(`${work} in flight`, 30_000, () => inFlight(farm, work));
  const exit = victim.kill();
  killed.abort();
  expect(await exit).toEqual({ code: null, signal: 'SIGKILL' });
  await load;
}

test('five kills of processes at work are not to be seen in the end', async () => {
  await farm.start(['ingest', 'recompute']);
  for (const { work, successor } of ROUNDS) {
    const victim = farm.running[0] as PipelineProcess;
    // Until the group has given up the last victim, nobody else has its partitions: a kill would hit nothing.
    const consumers = (['ingest', 'recompute'] as const).filter((role) => victim.roles.includes(role));
    await eventually(`${victim.roles.join(', ')} owns partitions`, 60_000, () =>
      consumers.every((consumer) => victim.owns(consumer)),
    );
    await killInTheMidstOf(victim, work);
    await farm.start(successor);
  }
  await farm.settled(SETTLE_MS);
  expect(await problemsOf(farm)).toEqual([]);
});

test('a publisher that stood still while another took over is fenced when it goes on', async () => {
  for (const process of farm.running) await process.stop();
  // Neither gives up its lease by itself: only Kafka can tell the first that it is not the leader any more.
  const lease = { ANCHORLINE_PUBLISH_LEASE_MS: '3600000' };
  const states = [dailyStateTopic(farm.config.topics.namespace)];
  const before = await endOf(farm, states);
  const still = await farm.start(['publish'], lease);
  await still.logged(/^leads the shard/, 30_000);
  const worker = await farm.start(['ingest', 'recompute', 'scheduler']);
  await playTo(0.64);
  await eventually('the first has published', 60_000, async () => (await endOf(farm, states)) > before);
  still.pause();
  expect(await farm.inStore(`delete from lease where name like 'publish-%' returning name`)).toHaveLength(1);
  const second = await farm.start(['publish'], lease);
  await second.logged(/^leads the shard/, 60_000);
  await playTo(0.68);
  const load = playTo(0.72);
  still.resume();
  await load;
  await still.logged(/^a newer leader took over the shard/, 60_000);
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
