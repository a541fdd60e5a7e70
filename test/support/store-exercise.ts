/** Everything that a process and the commands do to a state store, once: whatever a role lacks for it fails. */
import * as codec from '../../src/engine/row-codes.ts';
import { NO_COUNTS } from '../../src/domain/backfill.ts';
import { FACT_COLUMNS, FACT_KINDS } from '../../src/domain/fact-columns.ts';
import type { ColumnType } from '../../src/domain/fact-columns.ts';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Fact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import type { DeadLetter } from '../../src/domain/ports.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { LEAST_RETENTION_DAYS } from '../../src/store/retention.ts';
import { DAY_0, assignment, batch, delta, ingest, reading, transfer } from './store-facts.ts';
import { inserting, rowsOf, updating } from './store-rows.ts';

/** `run` from 1: ids of its own each time, so that one that failed half-way is in nobody's way. */
export async function exerciseStore(store: PgStore, run: number): Promise<void> {
  const id = run * 1_000;
  await store.checkSettings();
  await ingestThings(store, id);
  await store.moveHorizon(DAY_0 + 100 + LEAST_RETENTION_DAYS + run, 1, 0);
  await recomputeThings(store, id);
  await publishThings(store);
  await lookAtThings(store, id);
  await resnapshotThings(store, `run-${run}`, id);
  await bulkThings(store, id);
  await backfillThings(store);
  const lease = `lease-${run}`;
  await store.acquireLease(lease, 'me', 60_000);
  await store.acquireLease(lease, 'me', 60_000);
  await store.releaseLease(lease, 'me');
  await store.retire(DAY_0 + 100, 10);
}

async function ingestThings(store: PgStore, id: Id): Promise<void> {
  const at = { topic: 'topic', partition: id };
  await store.positions([at]);
  await ingest(store, async (tx) => {
    await tx.advance([{ ...at, expected: 0n, next: 1n }]);
    await tx.noteTransactions({ parts: [{ id, orders: [1] }], ends: [{ id, records: 1 }] });
    for (const kind of FACT_KINDS) {
      await tx.writeFacts(kind, [factOf(kind, id)] as Fact[], []);
      await tx.writeFacts(kind, [factOf(kind, id)] as Fact[], []);
      await tx.readFacts(kind, [id]);
      await tx.writeFacts(kind, [], [id]);
    }
    await tx.writeFacts('batch', [batch({ id })], []);
    const left = { departureDay: DAY_0 + 30, isActive: false };
    const stays = [assignment({ id, batchId: id, ...left }), assignment({ id: id + 1, batchId: id })];
    await tx.writeFacts('assignment', stays, []);
    await tx.writeFacts('transfer', [transfer({ id, sourceId: id, destId: id + 1, day: DAY_0 + 30 })], []);
    const read = reading({ id, containerId: id });
    await tx.writeReadings([read], [], [delta({ containerId: id, sumE4: 1, count: 1 })]);
    await tx.writeReadings([read], [], [delta({ containerId: id, sumE4: 1, count: 1 })]);
    await tx.writeReadings([], [read], [delta({ containerId: id, sumE4: -2, count: -2 })]);
    await tx.noteSnapshot('running');
    await tx.noteSnapshot('done');
    await tx.keepDeadLetters([letterOf(id)]);
    await tx.supersedeDeadLetters('topic', [Buffer.from(String(id))]);
    const scopes = [{ scope: 'batch', batchId: id, from: DAY_0, to: DAY_0 }, { scope: 'parameter', parameterId: 1 }] as const; // prettier-ignore
    await tx.resolve(scopes.map((scope) => ({ scope, reason: 'batch' })));
    await tx.appendDirt([dirtOf(id)]);
  });
}

async function recomputeThings(store: PgStore, id: Id): Promise<void> {
  const rows = rowsOf({ assignmentId: id, batchId: id, firstDay: DAY_0, length: 30 });
  const window = { assignmentId: id, from: MIN_DAY, to: MAX_DAY };
  await store.settleTransactions([id]);
  await store.giveUpTransactions(1);
  await store.recompute(async (tx) => {
    await tx.lock([id]);
    await tx.takeDirt([id]);
    // The second one reads weights of the first, where it came from unweighed.
    await tx.load([window, { ...window, assignmentId: id + 1 }]);
    const revision = await tx.nextRevision();
    await tx.writeRows([inserting(rows)], [], revision);
    await tx.writeRows(
      [updating(rows, [3])],
      [{ assignmentId: id, days: Int32Array.of(DAY_0 + 7) }],
      revision,
    );
    await tx.replaceAnomalies([window], []);
    await tx.replaceAnomalies([window], [{ assignmentId: id, day: DAY_0, rule: 'R16', code: 'population_clamped', detail: '' }]); // prettier-ignore
    await tx.appendPublication([{ assignmentId: id, revision, days: Int32Array.of(DAY_0), committedMs: 0, decodedMs: 0 }]); // prettier-ignore
    await tx.appendDirt([dirtOf(id)]);
    await tx.unpark([id]);
  });
  for (let tries = 1; tries <= 2; tries += 1)
    await store.park({ assignmentId: id, code: 'CMP001', message: '', tries, dirt: [] });
  await store.unpark([id]);
  await store.recompute((tx) => tx.takeDirt([id]));
}

async function bulkThings({ bulk }: PgStore, id: Id): Promise<void> {
  await bulk.survey();
  await bulk.compute(async (tx) => {
    await tx.claim([id]);
    await tx.load([id]);
    await tx.writeRows([rowsOf({ assignmentId: id + 2, firstDay: DAY_0, length: 2 })]);
    await tx.keepAnomalies([]);
    await tx.noteDone([{ batchId: id, assignments: 1, rows: 2 }]);
    await tx.leave([id + 1]);
  });
}

async function backfillThings({ backfills, recompute }: PgStore): Promise<void> {
  const request = { scope: { kind: 'all' }, from: DAY_0, to: DAY_0 + 1 } as const;
  for (const end of [() => backfills.cancel, () => backfills.finish]) {
    const run = (await backfills.create(request)) ?? (await backfills.latest());
    if (run === null) throw new Error('there is a run');
    const parts = await backfills.take(run, { days: 1_000_000, assignments: 1_000_000 }, 0);
    await recompute((tx) => tx.takeDirt(parts.map(({ assignmentId }) => assignmentId)));
    await backfills.addCounts(run.id, NO_COUNTS);
    await end()(run.id);
    await backfills.cancel(run.id);
  }
  await backfills.create({ ...request, scope: { kind: 'assignment', ids: [] } });
}

async function publishThings(store: PgStore): Promise<void> {
  const batches = await store.readPublications(0, 1, 10);
  for (const { assignmentId, sequences } of batches) {
    await store.setPublicationAside({ assignmentId, sequences, code: 'PUB003', message: '' });
  }
  await store.unpark(null);
  await store.settlePublications(batches.flatMap(({ sequences }) => sequences));
}

async function lookAtThings(store: PgStore, id: Id): Promise<void> {
  await store.waitingDirt(0, 1);
  await store.snapshotRunning(1);
  await store.horizon();
  await store.parked();
  await store.status();
  await store.gauges(1);
  await store.pruneLetters(30, 1);
  await store.anomalies({}, 1);
  await store.countAnomalies({});
  await store.assignmentsOf(id);
  await store.dayFacts(id, DAY_0, false);
  await store.assignmentsByBatch({});
  await store.assignmentsByBatch({ batchId: id });
  await store.validationFacts([id], codec);
  await store.listLetters({}, 1);
  await store.countLetters({});
  await store.readLetter({ topic: 'topic', partition: id, offset: 1n });
  await store.noteRefusedAgain(await store.openLetters({}, null, 1));
  await store.dropLetters({ topic: 'none' }, '', '');
  await store.manualAnchors(id);
  await store.rows(id, DAY_0, DAY_0);
  await store.assignmentWeeks(id);
  await store.batchWeeks(id);
}

async function resnapshotThings({ resnapshots, noteEnds }: PgStore, run: string, id: Id): Promise<void> {
  const at = { topic: 'topic', partition: id };
  const record = { id, timeUs: 0, offset: 1n, key: Buffer.from('k'), value: Buffer.from('v'), own: null };
  const shown = { ...at, run, records: [record], unreadable: 0 };
  const tables = [
    { table: 'batch_batch', kind: 'batch' },
    { table: 'environmental_environmentalreading', kind: 'reading' },
  ] as const;
  await noteEnds([{ ...at, end: 1n, keepMs: 1, isOther: false }]);
  const open = await resnapshots.latest();
  if (open !== null) await resnapshots.end(open.id, 'cancelled', null);
  const names = tables.map(({ table }) => table);
  await resnapshots.create({ id: run, dry: false, force: false, recapture: false, tables: names });
  await resnapshots.begin(run, [{ ...at, table: 'batch_batch', start: 0n }], [{ ...at, from: 1n, to: 0n }]);
  await resnapshots.noteRequested(run);
  await resnapshots.partitions(run);
  await resnapshots.setTargets(run, [{ ...at, end: 1n }]);
  for (const [i, of] of tables.entries()) {
    await resnapshots.pick(run, of);
    await resnapshots.noteShown({ ...shown, ...of, expected: BigInt(i), next: BigInt(i + 1) });
    await resnapshots.countGone(of);
    await resnapshots.markSent(run, of.table, await resnapshots.nextGone(of, 1));
    await resnapshots.disturbed(of.table, 1);
    await resnapshots.finish(run, of.table, 'topic');
  }
  await resnapshots.noteNews(run, { ...at, expected: 2n, next: 3n }, { told: true, tables: [] });
  await resnapshots.release(run, names, true);
  await resnapshots.end(run, 'done', null);
}

const VALUES: Readonly<Record<string, unknown>> = { day: DAY_0, text: 'x', bool: true };

function factOf<K extends FactKind>(kind: K, id: Id): FactTypes[K] {
  const columns = Object.entries<ColumnType>(FACT_COLUMNS[kind]);
  const fields = columns.map(([field, type]) => [field, VALUES[type.replace('?', '')] ?? 1]);
  return { ...(Object.fromEntries(fields) as FactTypes[K]), id };
}

function letterOf(id: Id): DeadLetter {
  const key = Buffer.from(String(id));
  const record = { topic: 'topic', partition: id, offset: 1n, timestampMs: 0, key, value: null };
  return { record, rejection: { code: 'REC001', message: '' } };
}

function dirtOf(assignmentId: Id) {
  return { assignmentId, from: DAY_0, to: DAY_0, reasons: ['batch'], committedMs: 0, decodedMs: 0 };
}
