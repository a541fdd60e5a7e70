import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { REJECTIONS } from '../../src/domain/cdc.ts';
import type { Decoded, RejectionCode, SourceRecord } from '../../src/domain/cdc.ts';
import type { DeadLetter } from '../../src/domain/ports.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { IsolatingIngestDeps } from '../../src/ingest/isolate.ts';
import { replayLetters } from '../../src/ingest/replay.ts';
import type { LetterPages } from '../../src/ingest/replay.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { DAY_0, assignment, batch, write } from '../support/store-facts.ts';

const TOPIC = 'farm.public.infrastructure_container';

function letter(offset: bigint, fields: Partial<SourceRecord> & { code?: RejectionCode } = {}): DeadLetter {
  const { code = REJECTIONS.invalidValue, ...record } = fields;
  return {
    record: {
      topic: TOPIC,
      partition: 0,
      offset,
      timestampMs: 1_700_000_000_000,
      key: Buffer.from(`key ${offset}`),
      value: Buffer.from(`{"id":${offset},"name":"T"}`),
      ...record,
    },
    rejection: { code, message: `${offset} is refused` },
  };
}

const keep = (store: PgStore, letters: readonly DeadLetter[]): Promise<void> =>
  store.ingest((tx) => tx.keepDeadLetters(letters));

const offsets = (letters: readonly { readonly offset: bigint }[]): bigint[] =>
  letters.map(({ offset }) => offset).toSorted((a, b) => Number(a - b));

describe.each(BUILDS)('what operators care for, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('lists dead letters by every filter, and counts them', async () => {
    const { store, schema } = await place.newStore();
    await keep(store, [
      letter(1n),
      letter(2n, { topic: 'other', code: REJECTIONS.unknownSchema }),
      letter(3n, { partition: 1 }),
      letter(4n, { value: null }),
    ]);
    await place.pool.query(
      `UPDATE ${schema}.dead_letter SET kept_at = '2024-05-01T00:00:00.250Z' WHERE "offset" = 1`,
    );
    await store.ingest((tx) => tx.supersedeDeadLetters(TOPIC, [Buffer.from('key 3')]));
    const found = async (filter: Parameters<PgStore['listLetters']>[0]) =>
      offsets(await store.listLetters(filter, 10));
    expect(await found({})).toEqual([1n, 2n, 3n, 4n]);
    expect(await found({ state: 'open' })).toEqual([1n, 2n, 4n]);
    expect(await found({ topic: 'other' })).toEqual([2n]);
    expect(await found({ code: 'REC006' })).toEqual([1n, 3n, 4n]);
    const since = Date.parse('2024-05-01T00:00:00.250Z');
    expect(await found({ sinceMs: since })).toEqual([1n, 2n, 3n, 4n]);
    expect(await found({ sinceMs: since + 1 })).toEqual([2n, 3n, 4n]);
    expect(await found({ asOfMs: since + 1 })).toEqual([1n]);
    const at = [{ topic: TOPIC, partition: 0, offset: 4n }, { topic: TOPIC, partition: 0, offset: 3n }]; // prettier-ignore
    expect(await found({ at })).toEqual([4n]);
    expect((await store.countLetters({ state: 'open' })).byCode).toEqual(
      new Map([['REC002', 1], ['REC006', 2]]), // prettier-ignore
    );
    const [latest] = await store.listLetters({}, 1);
    expect(latest).toMatchObject({ offset: 4n, keyBytes: 5, valueBytes: null, closedAtMs: null });
  });

  it('gives one back whole, with the headers of the record', async () => {
    const { store } = await place.newStore();
    const headers = { plain: Buffer.from('text\0'), twice: [Buffer.from('a'), 'b'], none: undefined };
    await keep(store, [letter(7n, { headers }), letter(8n)]);
    const at = { topic: TOPIC, partition: 0, offset: 7n };
    expect(await store.readLetter(at)).toMatchObject({
      ...at,
      state: 'open',
      message: '7 is refused',
      key: Buffer.from('key 7'),
      headers: { plain: 'text', twice: 'a, b', none: '' },
    });
    expect(await store.readLetter({ ...at, offset: 8n })).toMatchObject({ headers: {} });
    expect(await store.readLetter({ ...at, partition: 5 })).toBeNull();
  });

  it('drops open ones only, of those that were counted, and keeps them with name and reason', async () => {
    const { store } = await place.newStore();
    await keep(store, [letter(1n), letter(2n), letter(3n, { code: REJECTIONS.unknownSchema })]);
    await store.ingest((tx) => tx.claimDeadLetter({ topic: TOPIC, partition: 0, offset: 2n }));
    const { asOfMs } = await store.countLetters({ code: 'REC006' });
    await keep(store, [letter(4n)]);
    expect(await store.dropLetters({ code: 'REC006', asOfMs }, 'Ada', 'a test')).toBe(1);
    const dropped = await store.readLetter({ topic: TOPIC, partition: 0, offset: 1n });
    expect(dropped).toMatchObject({ state: 'settled', closedBy: 'Ada', closeReason: 'a test' });
    expect(dropped?.value).toEqual(letter(1n).record.value);
    expect(offsets(await store.listLetters({ state: 'open' }, 10))).toEqual([3n, 4n]);
    // Refused anew by a re-read topic, it is open again, and nobody's any more.
    await keep(store, [letter(1n)]);
    expect(await store.readLetter({ topic: TOPIC, partition: 0, offset: 1n })).toMatchObject({
      state: 'open',
      closedBy: null,
      closeReason: null,
    });
  });

  it('pages through open ones in the order of their partitions, fewer where they are large', async () => {
    const { store } = await place.newStore();
    const large = Buffer.alloc(9 * 1024 * 1024, 1);
    await keep(store, [letter(10n), letter(9n), letter(3n, { partition: 1 }), letter(11n)]);
    const first = await store.openLetters({}, null, 3);
    expect(first.map(({ record }) => record.offset)).toEqual([9n, 10n, 11n]);
    expect((await store.openLetters({}, first[2]!.record, 3)).map((l) => l.record.partition)).toEqual([1]);
    expect(await store.openLetters({}, { topic: TOPIC, partition: 1, offset: 3n }, 3)).toEqual([]);
    for (const offset of [20n, 21n, 22n]) await keep(store, [letter(offset, { value: large })]);
    const after = { topic: TOPIC, partition: 0, offset: 11n };
    expect((await store.openLetters({}, after, 9)).map((l) => l.record.offset)).toEqual([20n, 21n]);
  });

  it('replays all pages: each once, whatever becomes of it', async () => {
    const { store } = await place.newStore();
    const letters = Array.from({ length: 23 }, (_, i) => letter(BigInt(i + 1)));
    await keep(store, [...letters, letter(50n, { topic: 'other' })]);
    const deps = tools(store);
    const pages: LetterPages = {
      next: (after) => store.openLetters({ topic: TOPIC }, after, 5),
      noteRefusedAgain: (refused) => store.noteRefusedAgain(refused),
    };
    const seen: bigint[] = [];
    const events = { letter: (record: SourceRecord) => void seen.push(record.offset), page: () => undefined };

    expect(await replayLetters(deps, pages, events, true)).toEqual({
      ingested: 19,
      superseded: 0,
      refused: 4,
    });
    expect((await store.countLetters({ state: 'open' })).byCode).toEqual(new Map([['REC006', 24]]));
    expect(seen.splice(0)).toHaveLength(23);

    // The one that a person dropped while the replay ran.
    let dropped = false;
    const meddling: LetterPages = {
      ...pages,
      async next(after) {
        const page = await pages.next(after);
        if (!dropped) {
          dropped = true;
          await store.dropLetters({ at: [page[4]!.record] }, 'Ada', 'meanwhile');
        }
        return page;
      },
    };
    const counts = await replayLetters(deps, meddling, events);
    // Every fifth is refused by the decoder; the dropped one is the fifth.
    expect(counts).toEqual({ ingested: 19, superseded: 0, refused: 4 });
    expect(seen).toEqual(letters.map(({ record }) => record.offset));
    const facts = await store.ingest((tx) => tx.readFacts('container', seen.map(Number)));
    expect(facts.size).toBe(19);
    const again = await store.listLetters({ state: 'open', topic: TOPIC }, 30);
    expect(offsets(again)).toEqual([10n, 15n, 20n]);
    expect(again[0]).toMatchObject({ code: 'REC002', message: 'not yet', triedAtMs: expect.any(Number) });
    expect((await store.readLetter({ topic: TOPIC, partition: 0, offset: 1n }))?.state).toBe('settled');
  });

  it('shows anomalies by every filter, and counts them by code', async () => {
    const { store } = await place.newStore();
    await write(store, 'batch', [batch({ id: 1 }), batch({ id: 2 })]);
    await write(store, 'assignment', [assignment({ id: 1 }), assignment({ id: 2, batchId: 2 })]);
    const at = (assignmentId: number, day: number | null, rule: string) =>
      ({ assignmentId, day, rule, code: 'nobody_to_share', detail: `${rule} ${day}` }) as const;
    await store.recompute((tx) =>
      tx.replaceAnomalies(
        [],
        [
          at(1, DAY_0, 'R18'),
          at(1, DAY_0 + 5, 'R19'),
          { ...at(2, null, 'R8'), code: 'missing_model' },
          at(9, DAY_0, 'R18'),
        ],
      ),
    );
    const found = async (filter: Parameters<PgStore['anomalies']>[0]) =>
      (await store.anomalies(filter, 10)).map(({ assignmentId, detail }) => `${assignmentId} ${detail}`);
    expect(await found({})).toHaveLength(4);
    expect(await found({ batchId: 2 })).toEqual(['2 R8 null']);
    expect(await found({ assignmentId: 9 })).toEqual([`9 R18 ${DAY_0}`]);
    expect(await found({ rule: 'R19' })).toEqual([`1 R19 ${DAY_0 + 5}`]);
    expect(await found({ code: 'missing_model' })).toEqual(['2 R8 null']);
    expect(await found({ since: DAY_0 + 1 })).toEqual([`1 R19 ${DAY_0 + 5}`, '2 R8 null']);
    expect(await store.countAnomalies({})).toEqual([
      { code: 'missing_model', count: 1, assignments: 1 },
      { code: 'nobody_to_share', count: 3, assignments: 2 },
    ]);
    expect(await store.countAnomalies({ batchId: 1 })).toEqual([
      { code: 'nobody_to_share', count: 2, assignments: 1 },
    ]);
    expect(await store.assignmentsOf(2)).toEqual([2]);
  });

  it('says which days wait with a parked assignment, and why', async () => {
    const { store, schema } = await place.newStore();
    const dirt = (from: number, to: number, reason: string) =>
      ({ assignmentId: 4, from, to, reasons: [reason], committedMs: null, decodedMs: 0 }) as const;
    await store.ingest((tx) =>
      tx.appendDirt([dirt(DAY_0, DAY_0 + 2, 'reading'), dirt(DAY_0 + 9, DAY_0 + 9, 'feeding')]),
    );
    const seqs = await place.pool.query<{ seq: string }>(`SELECT seq FROM ${schema}.dirt`);
    await store.park({
      assignmentId: 4,
      code: 'CMP001',
      message: 'no',
      tries: 3,
      dirt: seqs.rows.map(({ seq }) => BigInt(seq)),
    });
    expect(await store.parked()).toMatchObject([
      { assignmentId: 4, days: { from: DAY_0, to: DAY_0 + 9 }, reasons: ['feeding', 'reading'] },
    ]);
  });
});

/** A decoder that takes the value for JSON, and refuses every fifth record. */
function tools(store: PgStore): IsolatingIngestDeps {
  const decode = ({ value, offset }: SourceRecord): Decoded => {
    if (offset % 5n === 0n) {
      return { kind: 'rejected', rejection: { code: REJECTIONS.unknownSchema, message: 'not yet' } };
    }
    const row = JSON.parse(String(value)) as { id: number };
    return {
      kind: 'change',
      table: 'infrastructure_container',
      key: { id: row.id },
      after: { ...row, hall_id: null, area_id: null },
      committedMs: 0,
      snapshot: 'none',
    };
  };
  return {
    store,
    decoder: { decode },
    deadLetters: { send: async () => undefined },
    requests: { request: async () => undefined },
    clock: { nowMs: () => 0 },
    settings: DEFAULT_ENGINE_SETTINGS,
    isOutage: () => false,
  };
}
