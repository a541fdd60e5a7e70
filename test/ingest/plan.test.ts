import { describe, expect, it } from 'vitest';

import { REJECTIONS, TRUNCATE } from '../../src/domain/cdc.ts';
import type { Decoded, SourceRecord } from '../../src/domain/cdc.ts';
import { planBatch } from '../../src/ingest/plan.ts';

/** A key as the registry's wire format has it: zero, the schema's number, the row's id. */
function record(offset: bigint, schema: number, id: number): SourceRecord {
  const key = Buffer.from([0, 0, 0, 0, schema, id]);
  return { topic: 't', partition: 0, offset, timestampMs: 0, key, value: null };
}

const rejection = { code: REJECTIONS.unknownSchema, message: 'schema 7' };
const REJECTED: Decoded = { kind: 'rejected', rejection };
const GONE: Decoded = {
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
