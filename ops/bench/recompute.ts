/**
 * A whole recompute, from dirt to rows and publication log, and a validation of every row, against COPY of the very same rows into the same table,
 * side by side on a throwaway Postgres:
 *   node ops/bench/recompute.ts [batches = 20] [concurrency = 2] [assignments a transaction = 25]
 * Rounds alternate, the first is not counted, medians are shown.
 */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import PQueue from 'p-queue';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { MAX_DAY, MIN_DAY, isoToDay } from '../../src/domain/day.ts';
import type { Id, ReadingFact } from '../../src/domain/facts.ts';
import type { ReadingDayDelta } from '../../src/domain/cdc.ts';
import type { IngestTx } from '../../src/domain/ports.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { loadConfig } from '../../src/config/load.ts';
import { validateStore } from '../../src/cli/validation-run.ts';
import { recomputeAssignments } from '../../src/recompute/step.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { DEFAULT_BANDS } from '../../src/validate/checks.ts';
import { silent } from '../../test/support/kafka-lab.ts';
import { openBuild } from '../../test/support/store-builds.ts';
import { copyOf, sampleFacts } from './sample-facts.ts';

const ROUNDS = 3;
const [batches = 20, concurrency = 2, perTransaction = 25] = process.argv.slice(2).map(Number);
const lastDay = isoToDay('2025-08-16');

await using place = await openBuild('plain');
const { store, schema } = await place.newStore();
const assignments = await loadFarm();
await store.moveHorizon(lastDay, 0, Date.now());
await dirtyAll();
await recomputeAll();
await place.pool.query(`VACUUM ANALYZE`);
const rows = await countRows();
const lines = await copyOut();
console.log(
  `${batches} batches, ${assignments.length} assignments, ${rows} rows; ${concurrency} transactions at a time`,
);

const none = (): number[] => [];
const times = { copy: none(), first: none(), same: none(), changed: none(), validate: none(), deep: none() };
for (let round = 0; round <= ROUNDS; round += 1) {
  await empty();
  const copy = await seconds(copyIn);
  await empty();
  await dirtyAll();
  const first = await seconds(recomputeAll);
  if ((await countRows()) !== rows) throw new Error('the recompute wrote another number of rows');
  await dirtyAll();
  const same = await seconds(recomputeAll);
  const validated = await seconds(() => validateAll(false));
  const deep = await seconds(() => validateAll(true));
  await place.pool.query(`UPDATE ${schema}.daily_state SET population = population + 1`);
  await place.pool.query(`VACUUM ${schema}.daily_state`);
  await dirtyAll();
  const changed = await seconds(recomputeAll);
  if (round === 0) continue;
  times.copy.push(copy);
  times.first.push(first);
  times.same.push(same);
  times.changed.push(changed);
  times.validate.push(validated);
  times.deep.push(deep);
}
report('COPY of the same rows', times.copy);
report('recompute, every row new', times.first);
report('recompute, no row differs', times.same);
report('recompute, every row differs', times.changed);
report('validate', times.validate);
report('validate --deep', times.deep);

async function loadFarm(): Promise<Id[]> {
  const sample = await sampleFacts();
  const ids: Id[] = [];
  for (let n = 0; n < batches; n += 1) {
    const { facts, readings } = copyOf(sample, n);
    ids.push(...(facts.get('assignment') ?? []).map(({ id }) => id));
    await store.ingest(async (tx: IngestTx) => {
      await tx.lockFacts('exclusive');
      for (const [kind, all] of facts) await tx.writeFacts(kind, all, []);
      await tx.writeReadings(readings, [], deltasOf(readings));
    });
  }
  return ids;
}

function deltasOf(readings: readonly ReadingFact[]): ReadingDayDelta[] {
  const days = Map.groupBy(readings, (r) => `${r.containerId}/${r.parameterId}/${r.day}`);
  return [...days.values()].map((ofDay) => {
    const { containerId, parameterId, day } = ofDay[0] as ReadingFact;
    const sumE4 = ofDay.reduce((sum, { valueE4 }) => sum + valueE4, 0);
    return { containerId: containerId as Id, parameterId, day, sumE4, count: ofDay.length };
  });
}

async function dirtyAll(): Promise<void> {
  const dirt = { from: MIN_DAY, to: MAX_DAY, reasons: ['bench'], committedMs: null, decodedMs: Date.now() };
  await store.ingest(async (tx) => {
    await tx.lockFacts('shared');
    await tx.appendDirt(assignments.map((assignmentId) => ({ assignmentId, ...dirt })));
  });
}

/** Until nothing is dirty: destinations of changed rows come round again, as they do live. */
async function recomputeAll(): Promise<void> {
  let due: readonly Id[] = assignments;
  while (due.length > 0) {
    const again = new Set<Id>();
    const queue = new PQueue({ concurrency });
    for (let start = 0; start < due.length; start += perTransaction) {
      const ids = due.slice(start, start + perTransaction);
      void queue.add(async () => {
        const requests = { request: async () => undefined };
        const deps = { store, requests, clock: systemClock, settings: DEFAULT_ENGINE_SETTINGS };
        for (const id of (await recomputeAssignments(deps, ids)).dirtied) again.add(id);
      });
    }
    await queue.onIdle();
    due = [...again];
  }
}

async function validateAll(deep: boolean): Promise<void> {
  const { config } = loadConfig({ env: {}, file: null, readFile: () => '' });
  const asked = { scope: {}, since: null, deep, bands: DEFAULT_BANDS, limit: 1, progress: () => undefined };
  const { report: found } = await validateStore({ store, config, log: silent }, asked);
  if (found.rows !== rows || found.isWrong(false)) throw new Error('the validation found something wrong');
}

async function countRows(): Promise<number> {
  const { rows: found } = await place.pool.query<{ n: string }>(
    `SELECT count(*) AS n FROM ${schema}.daily_state`,
  );
  return Number(found[0]?.n);
}

async function empty(): Promise<void> {
  await place.pool.query(`TRUNCATE ${schema}.daily_state, ${schema}.publication_log, ${schema}.dirt`);
  await place.pool.query('CHECKPOINT');
}

async function copyOut(): Promise<Buffer[]> {
  const client = await place.pool.connect();
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of client.query(copyTo(`COPY ${schema}.daily_state TO STDOUT`))) {
      chunks.push(chunk as Buffer);
    }
    return chunks;
  } finally {
    client.release();
  }
}

async function copyIn(): Promise<void> {
  const client = await place.pool.connect();
  try {
    await pipeline(Readable.from(lines), client.query(copyFrom(`COPY ${schema}.daily_state FROM STDIN`)));
  } finally {
    client.release();
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function report(what: string, measured: readonly number[]): void {
  const rate = rows / median(measured);
  const ratio = median(times.copy) / median(measured);
  console.log(
    `${what.padEnd(30)} ${Math.round(rate).toString().padStart(8)} rows/s  ${ratio.toFixed(2)} × COPY`,
  );
}
