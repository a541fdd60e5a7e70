import { describe, expect, it } from 'vitest';
import { toChange } from '../../src/cdc/envelope.ts';
import { COMMITTED_MS, envelope, PREFIX, sourceRow, tableCodec } from '../support/envelope-codec.ts';

const TABLE = 'batch_growthsample';
const samples = tableCodec(TABLE, 'newer');
const row = sourceRow(TABLE, 'newer', { id: 131, avg_weight_g: '0.15' });
const key = samples.key(row);

function decode(parts: Parameters<typeof samples.value>[0], topic = samples.topic) {
  return toChange(topic, key, samples.value(parts), PREFIX);
}

describe('toChange', () => {
  it.each(['c', 'u', 'r'])('takes the row after op %s', (op) => {
    expect(decode({ op, after: row })).toEqual({
      kind: 'change',
      table: TABLE,
      key: { id: 131 },
      after: row,
      committedMs: COMMITTED_MS,
      snapshot: 'none',
      transaction: null,
    });
  });

  it('ends the row of the key at a delete, whatever the image before holds', () => {
    const deleted = decode({ op: 'd', before: sourceRow(TABLE, 'newer', { id: 999 }) });
    expect(deleted).toMatchObject({ kind: 'change', table: TABLE, key: { id: 131 }, after: null });
  });

  it('falls back to the image before, or after, where records carry no key', () => {
    const deleted = toChange(samples.topic, null, samples.value({ op: 'd', before: row }), PREFIX);
    expect(deleted).toMatchObject({ key: { id: 131 }, after: null });
    const created = toChange(samples.topic, null, samples.value({ op: 'c', after: row }), PREFIX);
    expect(created).toMatchObject({ key: { id: 131 }, after: { id: 131 } });
  });

  it('takes a tombstone for a delete by key', () => {
    expect(toChange(samples.topic, key, null, PREFIX)).toEqual({
      kind: 'change',
      table: TABLE,
      key: { id: 131 },
      after: null,
      committedMs: null,
      snapshot: 'none',
    });
  });

  it('names the table by the topic where a chunk of a hypertable wrote the row', () => {
    const value = envelope('_hyper_1_7_chunk', { schema: '_timescaledb_internal', after: row });
    expect(toChange(`${PREFIX}.public.environmental_environmentalreading`, key, value, PREFIX)).toMatchObject(
      {
        table: 'environmental_environmentalreading',
      },
    );
  });

  it('names the table by the source where the topic is not a change topic', () => {
    expect(decode({ after: row }, 'everything')).toMatchObject({ table: TABLE });
  });

  it.each([
    ['false', 'none'],
    [null, 'none'],
    ['true', 'initial'],
    ['first', 'initial'],
    ['first_in_data_collection', 'initial'],
    ['last_in_data_collection', 'initial'],
    ['last', 'initial_last'],
    ['incremental', 'incremental'],
  ])('reads the snapshot mark %s as %s', (snapshot, mark) => {
    expect(decode({ op: 'r', after: row, snapshot })).toMatchObject({ snapshot: mark });
  });

  it('takes the commit time as number or bigint', () => {
    const value = envelope(TABLE, { after: row });
    const source = { ...(value['source'] as object), ts_ms: BigInt(COMMITTED_MS) };
    expect(toChange(samples.topic, key, { ...value, source }, PREFIX)).toMatchObject({
      committedMs: COMMITTED_MS,
    });
  });

  it.each([
    [
      { id: '771:24023184', total_order: 3, data_collection_order: 1 },
      { id: 771, order: 3 },
    ],
    [
      { id: '771', total_order: 1 },
      { id: 771, order: 1 },
    ],
    [{ id: 'x:1', total_order: 1 }, null],
    [{ id: '771:1', total_order: null }, null],
    [null, null],
    ['771', null],
  ])('reads the transaction block %j as %j', (transaction, mark) => {
    expect(
      toChange(samples.topic, key, { ...envelope(TABLE, { after: row }), transaction }, PREFIX),
    ).toMatchObject({
      kind: 'change',
      transaction: mark,
    });
  });

  it('tells of the transaction of what it rejects, for it counts', () => {
    const value = { ...envelope(TABLE, { op: 'c' }), transaction: { id: '771:1', total_order: 2 } };
    expect(toChange(samples.topic, key, value, PREFIX)).toMatchObject({
      kind: 'rejected',
      transaction: { id: 771, order: 2 },
    });
  });
});

describe('the transaction topic', () => {
  const boundary = (value: object | null) => toChange(`${PREFIX}.transaction`, null, value, PREFIX);
  const counted = (...counts: (readonly [string, unknown])[]) =>
    boundary({
      status: 'END',
      id: '771:24023184',
      data_collections: counts.map(([data_collection, event_count]) => ({ data_collection, event_count })),
    });

  it('tells how many records of a transaction come to ingest', () => {
    expect(counted(['public.batch_batch', 2], ['anchorline.signal', 1], ['public.auth_user', 7])).toEqual({
      kind: 'transaction_end',
      end: { id: 771, records: 2 },
    });
  });

  it('counts rows of a hypertable by their chunks', () => {
    const end = counted(['_timescaledb_internal._hyper_1_7_chunk', 3], ['public.batch_batch', 1]);
    expect(end).toMatchObject({ end: { id: 771, records: 4 } });
  });

  it.each([
    ['of nothing', counted()],
    ['of other tables alone', counted(['public.auth_user', 7])],
  ])('passes over the end of a transaction %s', (_, decoded) => expect(decoded.kind).toBe('ignored'));

  it.each([
    ['neither begin nor end', boundary({ status: 'MIDDLE', id: '771:1' })],
    ['an end without counts', boundary({ status: 'END', id: '771:1', data_collections: null })],
    ['an end of nothing known', boundary({ status: 'END', id: null, data_collections: [] })],
    ['a count that is none', counted(['public.batch_batch', 'two'])],
  ])('rejects %s', (_, decoded) => {
    expect(decoded).toMatchObject({ kind: 'rejected', rejection: { code: 'REC003' } });
  });
});

describe("the connector's own records", () => {
  it.each([
    ['heartbeats', `__debezium-heartbeat.${PREFIX}`, { ts_ms: COMMITTED_MS }],
    ['transaction metadata', `${PREFIX}.transaction`, { status: 'BEGIN', id: '771:1', ts_ms: COMMITTED_MS }],
    ['schema changes', PREFIX, { databaseName: 'farm', ddl: null }],
    [
      'the heartbeat table',
      `${PREFIX}.anchorline.heartbeat`,
      envelope('heartbeat', { schema: 'anchorline', after: { id: 1 } }),
    ],
    [
      'the signal table',
      `${PREFIX}.anchorline.signal`,
      envelope('signal', { schema: 'anchorline', op: 'd', before: { id: 'x' } }),
    ],
    ['a tombstone of the signal table', `${PREFIX}.anchorline.signal`, null],
    ['a tombstone of the heartbeat topic', `__debezium-heartbeat.${PREFIX}`, null],
    [
      'messages',
      `${PREFIX}.message`,
      { ...envelope('', { op: 'm' }), message: { prefix: 'x', content: '' } },
    ],
    ['truncates', samples.topic, envelope(TABLE, { op: 't' })],
  ])('ignores %s', (_, topic, value) => {
    expect(toChange(topic, { id: 1 }, value, PREFIX)).toMatchObject({
      kind: 'ignored',
      reason: expect.stringMatching(/./),
    });
  });
});

describe('what is no envelope', () => {
  it.each([
    ['a plain row', key, row],
    ['text', key, 'hello'],
    ['a number', key, 17],
    ['an unknown op', key, envelope(TABLE, { op: 'x', after: row })],
    ['a create without a row', key, envelope(TABLE, { op: 'c' })],
    ['an update without a row', key, envelope(TABLE, { op: 'u', before: row })],
    ['a delete without key and image', null, envelope(TABLE, { op: 'd' })],
    ['an envelope without source', key, { op: 'c', after: row }],
    ['neither key nor value', null, null],
    ['a tombstone of a bare key', 5, null],
  ])('rejects %s', (_, recordKey, value) => {
    expect(toChange(samples.topic, recordKey, value, PREFIX)).toEqual({
      kind: 'rejected',
      rejection: { code: 'REC003', message: expect.stringContaining(samples.topic) },
    });
  });
});
