import { describe, expect, it } from 'vitest';

import { REJECTIONS, TRUNCATE } from '../../src/domain/cdc.ts';
import type { ChangeEvent, Decoded, SourceRecord } from '../../src/domain/cdc.ts';
import { SWEEP_HEADER } from '../../src/domain/resnapshot.ts';
import { planBatch } from '../../src/ingest/plan.ts';

/** A key as the registry's wire format has it: zero, the schema's number, the row's id. */
function record(offset: bigint, schema: number, id: number): SourceRecord {
  const key = Buffer.from([0, 0, 0, 0, schema, id]);
  return { topic: 't', partition: 0, offset, timestampMs: 0, key, value: null };
}

const rejection = { code: REJECTIONS.unknownSchema, message: 'schema 7' };
const REJECTED: Decoded = { kind: 'rejected', rejection };
const GONE: ChangeEvent = {
  kind: 'change',
  table: 'infrastructure_container',
  key: { id: 1 },
  after: null,
  committedMs: null,
  snapshot: 'none',
};

describe('the keys whose last record in a batch was good', () => {
  const goodKeys = (records: SourceRecord[], decoded: Decoded[]) =>
    planBatch(records, decoded, () => ({ ok: true, change: { kind: 'container', id: 1, after: null } }))
      .goodKeys;

  it('leave out a row that was refused afterwards, though its key was written with another schema', () => {
    const [good, refused, other] = [record(0n, 7, 2), record(1n, 9, 2), record(2n, 7, 4)];
    expect(goodKeys([good, refused, other], [GONE, REJECTED, GONE])).toEqual([other.key]);
  });

  it('name a row that was refused before', () => {
    const [refused, good] = [record(0n, 7, 2), record(1n, 9, 2)];
    expect(goodKeys([refused, good], [REJECTED, GONE])).toEqual([good.key]);
  });
});

it('counts truncates by topic: nothing says which rows they took', () => {
  const truncate: Decoded = { kind: 'ignored', reason: TRUNCATE };
  const heartbeat: Decoded = { kind: 'ignored', reason: 'heartbeat' };
  const { counts } = planBatch(
    [record(0n, 7, 1), record(1n, 7, 1), record(2n, 7, 1)],
    [truncate, heartbeat, truncate],
    () => ({ ok: true, change: { kind: 'container', id: 1, after: null } }),
  );
  expect(counts).toMatchObject({ ignored: 3, truncates: new Map([['t', 2]]) });
});

describe('what a batch shows of transactions', () => {
  const of = (id: number, order: number, over: Partial<ChangeEvent> = {}): Decoded => ({
    ...GONE,
    committedMs: 1_000,
    transaction: { id, order },
    ...over,
  });
  const shown = (decoded: Decoded[], sinceMs: number | null = 0, records?: SourceRecord[]) =>
    planBatch(
      records ?? decoded.map((_, i) => record(BigInt(i), 7, 1)),
      decoded,
      ({ transaction }) =>
        transaction?.order === 9
          ? { ok: false, rejection }
          : { ok: true, change: { kind: 'container', id: 1, after: null } },
      0,
      sinceMs,
    ).transactions;

  it('counts every record of them, also one that a later one of its row makes needless, and one that is refused', () => {
    const refused: Decoded = { kind: 'rejected', rejection, transaction: { id: 5, order: 4 } };
    const end: Decoded = { kind: 'transaction_end', end: { id: 5, records: 4 } };
    expect(shown([of(5, 2), of(5, 1), of(6, 1), of(5, 2), of(5, 9), refused, end])).toEqual({
      parts: [
        { id: 5, orders: [1, 2, 4, 9] },
        { id: 6, orders: [1] },
      ],
      ends: [{ id: 5, records: 4 }],
    });
  });

  it('leaves out what is no part of one, or came so long ago that no end is kept', () => {
    const nothing = { parts: [], ends: [] };
    expect(shown([GONE, REJECTED, of(5, 1, { snapshot: 'incremental' })])).toEqual(nothing);
    expect(shown([of(5, 1)], 1_001)).toEqual(nothing);
    expect(shown([of(5, 1), { kind: 'transaction_end', end: { id: 5, records: 1 } }], null)).toEqual(nothing);
    const again = { ...record(0n, 7, 1), headers: { [SWEEP_HEADER]: 'run 3' } };
    expect(shown([of(5, 1)], 0, [again])).toEqual(nothing);
  });
});
