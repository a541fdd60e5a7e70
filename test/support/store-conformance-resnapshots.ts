/** Conformance: runs of resnapshots, what they were shown, and the facts that they were not shown. */
import { describe, expect, it } from 'vitest';

import { StalePositionError } from '../../src/domain/errors.ts';
import { REJECTIONS } from '../../src/domain/cdc.ts';
import type { DeadLetter, StateStore } from '../../src/domain/ports.ts';
import type {
  KeptTable,
  ResnapshotStore,
  RowKey,
  ShownRecord,
  TableState,
} from '../../src/domain/resnapshot.ts';
import type { CapturedTableName } from '../../src/domain/topics.ts';
import { batch, reading, write } from './store-facts.ts';

export type MakeResnapshots = () => Promise<{
  readonly store: StateStore;
  readonly runs: ResnapshotStore;
  /** What a crash of the server does to what is not logged. */
  readonly loseUnlogged: () => Promise<void>;
}>;

const BATCHES = { table: 'batch_batch', kind: 'batch' } as const satisfies KeptTable;
const READINGS = {
  table: 'environmental_environmentalreading',
  kind: 'reading',
} as const satisfies KeptTable;
const AT = { topic: 'farm.public.batch_batch', partition: 0 };
const NEWS = { topic: 'farm.notifications', partition: 0 };
const READINGS_AT = { topic: 'farm.public.environmental_environmentalreading', partition: 1 };

export function describeResnapshots(make: MakeResnapshots): void {
  describe('runs', () => {
    it('are open one at a time, and the open one is the latest', async () => {
      const { runs } = await make();
      expect(await runs.latest()).toBeNull();
      expect(await runs.create(newRun('a'))).toBe(true);
      expect(await runs.create(newRun('b'))).toBe(false);
      await runs.end('a', 'cancelled', 'why not');
      await runs.end('a', 'done', null);
      expect(await runs.create(newRun('c', { dry: true, recapture: true }))).toBe(true);
      expect(await runs.latest()).toMatchObject({
        id: 'c',
        dry: true,
        recapture: true,
        begun: false,
        requestedMs: null,
        told: false,
        outcome: null,
        tables: [
          { table: 'batch_batch', state: 'waiting', force: false, sample: [] },
          { table: READINGS.table },
        ],
      });
      await runs.end('c', 'failed', 'on purpose');
      expect(await runs.latest()).toMatchObject({ id: 'c', outcome: 'failed', why: 'on purpose' });
    });

    it('begin once, and move the positions that lie outside their logs with it', async () => {
      const { runs, store } = await make();
      await store.positions([AT]);
      await store.ingest((tx) => tx.advance([{ ...AT, expected: 0n, next: 70n }]));
      await runs.create(newRun('a'));
      await runs.begin('a', STARTS, [
        { ...AT, from: 70n, to: 5n },
        { ...AT, from: 71n, to: 99n },
      ]);
      await runs.begin('a', [], [{ ...AT, from: 5n, to: 0n }]);
      expect(await store.positions([AT])).toEqual([5n]);
      expect((await runs.latest())?.begun).toBe(true);
      expect(await partition(runs)).toMatchObject({ start: 10n, read: 10n, target: null, ingested: 5n });
    });

    it('hear what the connector tells about tables that wait, and nothing about others', async () => {
      const { runs } = await opened(make);
      const tell = (from: bigint, news: Parameters<ResnapshotStore['noteNews']>[2]) =>
        runs.noteNews('a', { ...NEWS, expected: from, next: from + 1n }, news);
      await tell(3n, { told: true, tables: [{ table: 'batch_batch', progress: 'key 1 of 9' }] });
      expect(await table(runs)).toMatchObject({ state: 'waiting', progress: 'key 1 of 9', scanned: null });
      await tell(4n, { tables: [{ table: 'batch_batch', state: 'scanned', scanned: 9 }] });
      await tell(5n, { tables: [{ table: 'batch_batch', state: 'failed', note: 'too late' }] });
      expect(await table(runs)).toMatchObject({ state: 'scanned', scanned: 9, note: null });
      expect((await runs.latest())?.told).toBe(true);
      await expect(tell(5n, { tables: [] })).rejects.toThrow(StalePositionError);
      await tell(6n, { failed: 'lost', tables: [] });
      expect(await runs.latest()).toMatchObject({ outcome: 'failed', why: 'lost' });
    });

    it('move a table on from the state that was seen only, and let held ones go on', async () => {
      const { runs } = await opened(make, { dry: true });
      expect(await runs.move('a', 'batch_batch', 'scanned', { state: 'counted' })).toBe(false);
      const held = { state: 'held', known: 4, gone: 3, sample: ['"1"', '2, 3'], note: 'too many' } as const;
      expect(await runs.move('a', 'batch_batch', 'waiting', held)).toBe(true);
      expect(await table(runs)).toMatchObject(held);
      expect(await runs.release('a', ['batch_batch', READINGS.table], true)).toEqual(['batch_batch']);
      expect(await table(runs)).toMatchObject({ state: 'scanned', force: true, note: null, known: 4 });
      expect((await runs.latest())?.dry).toBe(false);
    });
  });

  describe('what a run is shown', () => {
    it('counts once per key, moves with how far it was read, and is refused from elsewhere', async () => {
      const { runs } = await opened(make);
      await show(runs, 10n, [row(1, 10n), row(2, 11n), end(1, 12n)], 2);
      await expect(show(runs, 10n, [row(3, 10n)])).rejects.toThrow(StalePositionError);
      await show(runs, 13n, [row(1, 13n), own(2, 14n, null)]);
      expect(await partition(runs)).toMatchObject({ read: 15n, touched: 2, unreadable: 2, sample: key(1) });
    });

    it('is forgotten with the end of the run, and a reader that is late finds its place gone', async () => {
      const { runs } = await opened(make);
      await show(runs, 10n, [row(1, 10n)]);
      await runs.end('a', 'done', null);
      await expect(show(runs, 11n, [row(2, 11n)])).rejects.toThrow(StalePositionError);
      await runs.create(newRun('b'));
      await runs.begin('b', STARTS, []);
      expect(await partition(runs, 'b')).toMatchObject({ read: 10n, touched: 0 });
    });

    it('is read again from the start when the server lost it', async () => {
      const { runs, loseUnlogged } = await opened(make);
      await show(runs, 10n, [row(1, 10n)]);
      await loseUnlogged();
      expect(await partition(runs)).toMatchObject({ read: 10n, touched: 0, sample: null });
      await show(runs, 10n, [row(1, 10n)]);
      expect(await partition(runs)).toMatchObject({ read: 11n, touched: 1 });
    });

    it('leaves over the facts whose last record was no row, up to the positions they stand for', async () => {
      const { runs, store } = await opened(make);
      await write(
        store,
        'batch',
        [1, 2, 3, 4].map((id) => batch({ id })),
      );
      await write(store, 'manual_anchor', [
        { id: 5, assignmentId: 1, day: 0, weightE4: 1, author: 'me', note: null },
      ]);
      await store.positions([AT]);
      await store.ingest((tx) => tx.advance([{ ...AT, expected: 0n, next: 20n }]));
      await show(runs, 10n, [row(1, 10n), row(3, 11n), end(3, 12n), row(9, 13n)]);
      await runs.pick('a', BATCHES);
      expect((await partition(runs))?.target).toBe(20n);
      expect(await runs.countGone(BATCHES)).toEqual({ known: 4, gone: 3, sample: [at(2), at(3), at(4)] });
      await show(runs, 14n, [row(2, 14n)]);
      expect(await runs.countGone(BATCHES)).toEqual({ known: 4, gone: 2, sample: [at(3), at(4)] });
      expect(await runs.nextGone(BATCHES, 1)).toEqual([at(3)]);
      await runs.markSent('a', 'batch_batch', [at(3)]);
      await runs.markSent('a', 'batch_batch', [at(3)]);
      expect(await runs.nextGone(BATCHES, 9)).toEqual([at(4)]);
      expect((await table(runs))?.sent).toBe(1);
    });

    it('makes dead letters from before the start a thing of the past, and no others', async () => {
      const { runs, store } = await opened(make);
      const letters = [8n, 9n, 10n].map((offset) => letterAt(offset, AT));
      await store.ingest((tx) => tx.keepDeadLetters([...letters, letterAt(8n, READINGS_AT)]));
      await runs.pick('a', BATCHES);
      const open = async (offset: bigint, of: typeof AT) =>
        store.ingest((tx) => tx.claimDeadLetter({ ...of, offset }));
      expect([await open(8n, AT), await open(9n, AT), await open(10n, AT)]).toEqual([false, false, true]);
      expect(await open(8n, READINGS_AT)).toBe(true);
    });

    it('tells readings apart by both columns of their key', async () => {
      const { runs, store } = await opened(make);
      const first = reading({ id: 1 });
      const second = { ...first, timeUs: first.timeUs + 1 };
      await store.ingest((tx) => tx.writeReadings([first, second], [], []));
      const record = { ...row(1, 0n), timeUs: second.timeUs };
      await runs.noteShown({
        run: 'a',
        ...READINGS_AT,
        ...READINGS,
        expected: 0n,
        next: 1n,
        records: [record],
        unreadable: 0,
      });
      await runs.pick('a', READINGS);
      const gone = { id: 1, timeUs: first.timeUs };
      expect(await runs.countGone(READINGS)).toEqual({ known: 2, gone: 1, sample: [gone] });
      await runs.markSent('a', READINGS.table, [gone]);
      expect(await runs.nextGone(READINGS, 9)).toEqual([]);
    });
  });

  describe('a row that comes back while it is swept', () => {
    it.each<[string, readonly ShownRecord[], bigint | null]>([
      ['stays away', [own(1, 10n, null)], null],
      ['comes behind its tombstone', [own(1, 10n, null), row(1, 11n)], null],
      ['comes before its tombstone', [row(1, 10n), own(1, 11n, null)], 10n],
      ['comes before, and goes again', [row(1, 10n), end(1, 11n), own(1, 12n, null)], null],
      [
        'went again before it was said again',
        [row(1, 10n), own(1, 11n, null), end(1, 12n), own(1, 13n, 10n)],
        12n,
      ],
      [
        'was ended again then',
        [
          row(1, 10n),
          own(1, 11n, null),
          end(1, 12n),
          own(1, 13n, 10n),
          { ...end(1, 14n), own: { repeats: 12n } },
        ],
        null,
      ],
      ['has been said again', [row(1, 10n), own(1, 11n, null), own(1, 12n, 10n)], null],
      [
        'changed before it was said again',
        [row(1, 10n), own(1, 11n, null), row(1, 12n), own(1, 13n, 10n)],
        12n,
      ],
    ])('%s', async (_what, records, disturbed) => {
      const { runs, store } = await opened(make);
      await write(store, 'batch', [batch({ id: 1 }), batch({ id: 2 })]);
      await runs.pick('a', BATCHES);
      await runs.markSent('a', 'batch_batch', [at(1)]);
      for (const record of records) await show(runs, record.offset, [record]);
      const found = await runs.disturbed('batch_batch', 9);
      expect(found.map(({ offset }) => offset)).toEqual(disturbed === null ? [] : [disturbed]);
      if (disturbed === null) return;
      const value = records.find(({ offset }) => offset === disturbed)?.value;
      expect(found).toEqual([{ ...AT, row: at(1), offset: disturbed, key: key(1), value }]);
      await runs.finish('a', 'batch_batch', AT.topic);
      expect(await runs.disturbed('batch_batch', 9)).toEqual([]);
      expect(await table(runs)).toMatchObject({ state: 'done' satisfies TableState });
    });

    it('is told in one batch of records as in many', async () => {
      const { runs, store } = await opened(make);
      await write(store, 'batch', [batch({ id: 1 })]);
      await runs.pick('a', BATCHES);
      await runs.markSent('a', 'batch_batch', [at(1)]);
      await show(runs, 10n, [end(1, 10n), row(1, 11n), own(1, 12n, null), row(7, 13n)]);
      expect((await runs.disturbed('batch_batch', 9)).map(({ offset }) => offset)).toEqual([11n]);
    });
  });
}

const STARTS = [
  { ...AT, table: 'batch_batch', start: 10n },
  { ...READINGS_AT, table: READINGS.table, start: 0n },
  { ...NEWS, table: null, start: 3n },
] as const;

function newRun(id: string, options: { readonly dry?: boolean; readonly recapture?: boolean } = {}) {
  const { dry = false, recapture = false } = options;
  const tables: CapturedTableName[] = [READINGS.table, 'batch_batch'];
  return { id, dry, recapture, force: false, tables };
}

async function opened(make: MakeResnapshots, options: { readonly dry?: boolean } = {}) {
  const made = await make();
  await made.runs.create(newRun('a', options));
  await made.runs.begin('a', STARTS, []);
  return made;
}

async function partition(runs: ResnapshotStore, run = 'a') {
  return (await runs.partitions(run)).find(({ topic }) => topic === AT.topic);
}

async function table(runs: ResnapshotStore) {
  return (await runs.latest())?.tables.find((each) => each.table === 'batch_batch');
}

async function show(
  runs: ResnapshotStore,
  expected: bigint,
  records: readonly ShownRecord[],
  unreadable = 0,
): Promise<void> {
  const next = (records.at(-1)?.offset ?? expected) + 1n;
  await runs.noteShown({ run: 'a', ...AT, ...BATCHES, expected, next, records, unreadable });
}

function key(id: number): Buffer {
  return Buffer.from([0, 0, 0, 0, 9, 2 * id]);
}

function row(id: number, offset: bigint): ShownRecord {
  return { id, timeUs: 0, offset, key: key(id), value: Buffer.from('row'), own: null };
}

function end(id: number, offset: bigint): ShownRecord {
  return { ...row(id, offset), value: null };
}

/** A record that a run wrote: a tombstone, or one that says another again. */
function own(id: number, offset: bigint, repeats: bigint | null): ShownRecord {
  return { ...row(id, offset), value: repeats === null ? null : Buffer.from('row'), own: { repeats } };
}

function letterAt(offset: bigint, { topic, partition }: typeof AT): DeadLetter {
  const record = { topic, partition, offset, timestampMs: 0, key: Buffer.from(String(offset)), value: null };
  return { record, rejection: { code: REJECTIONS.undecodable, message: 'no' } };
}

function at(id: number): RowKey {
  return { id, timeUs: 0 };
}
