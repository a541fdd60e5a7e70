/** A farm's changes as the connector's records: through the bytes and back they are the rows that the farm ends with. */
import avro from 'avsc';
import { describe, expect, it } from 'vitest';

import { keyText } from '../../../ops/bench/farm/change.ts';
import { envelopeRecords } from '../../../ops/bench/farm/envelopes.ts';
import type { EnvelopeRecord } from '../../../ops/bench/farm/envelopes.ts';
import { farmTransactions, settled } from '../../../ops/bench/farm/farm.ts';
import { joined, netEffect } from '../../../ops/bench/farm/net-effect.ts';
import { recordedTables, recordedTransactions } from '../../../ops/bench/farm/recorded.ts';
import { toChange } from '../../../src/cdc/envelope.ts';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import { CAPTURED_TABLES, changeTopic, tableOfTopic, transactionTopic } from '../../../src/domain/topics.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { safeLongs } from '../../../src/kafka/safe-long.ts';
import { SMALL_FARM } from '../../support/small-farm.ts';

const SCALE = { ...SMALL_FARM, batches: 2, days: 90 };
const PREFIX = 'some_farm';
const START_MS = 1_700_000_000_000;
const tables = recordedTables(PREFIX);
const typeOf = (schema: object) => avro.Type.forSchema(schema as never, { typeHook: safeLongs });
const types = new Map(
  [
    [transactionTopic(PREFIX), recordedTransactions()] as const,
    ...CAPTURED_TABLES.map(({ name }) => [changeTopic(PREFIX, name), tables.get(name)!] as const),
  ].map(([topic, { keySchema, valueSchema }]) => [
    topic,
    { key: typeOf(keySchema), value: typeOf(valueSchema) },
  ]),
);

function records(): EnvelopeRecord[] {
  return [
    ...envelopeRecords(farmTransactions(SCALE), {
      prefix: PREFIX,
      database: 'farm',
      tables,
      startMs: START_MS,
    }),
  ];
}

/** Through Avro, as a consumer would get it. */
function decoded({ topic, key, value }: EnvelopeRecord) {
  const type = types.get(topic)!;
  return {
    topic,
    key: type.key.fromBuffer(type.key.toBuffer(key)) as unknown,
    value: value === null ? null : (type.value.fromBuffer(type.value.toBuffer(value)) as unknown),
  };
}

describe('a farm’s records', () => {
  it('leave the rows behind that the farm ends with', () => {
    const rows = new Map<string, SourceRow>();
    for (const record of records()) {
      const { topic, key, value } = decoded(record);
      const table = tableOfTopic(PREFIX, topic);
      if (table === null) continue;
      const change = toChange(topic, key, value, PREFIX);
      if (change.kind !== 'change') throw new Error(`${topic}: ${change.kind}`);
      expect(change.snapshot).toBe('none');
      const name = `${table} ${keyText(table, change.key)}`;
      if (change.after === null) rows.delete(name);
      else rows.set(name, { ...change.after });
    }
    const wanted = new Map<string, SourceRow>();
    const final = settled([...farmTransactions(SCALE)].flatMap(({ changes }) => changes));
    for (const [table, all] of final)
      for (const row of all) wanted.set(`${table} ${keyText(table, row)}`, row);
    expect(rows.size).toBe(wanted.size);
    for (const [name, row] of wanted) expect({ name, ...rows.get(name) }).toEqual({ name, ...row });
  });

  it('bear the prefix in the names of their schemas, as the connector’s do', () => {
    expect(tables.get('batch_batch')?.valueSchema).toMatchObject({
      namespace: `${PREFIX}.public.batch_batch`,
      'connect.name': `${PREFIX}.public.batch_batch.Envelope`,
    });
    expect(JSON.stringify([...tables])).not.toContain('"farm.public');
  });

  it('tell each transaction’s end with as many changes as it had, numbered from 1', () => {
    let seen: number[] = [];
    let transactions = 0;
    for (const { topic, value } of records().map(decoded)) {
      if (value === null) continue;
      const { transaction, status, event_count: count } = value as Record<string, unknown>;
      if (topic !== transactionTopic(PREFIX)) {
        seen.push((transaction as { total_order: number }).total_order);
      } else if (status === 'END') {
        expect(seen).toEqual(Array.from({ length: count as number }, (_, i) => i + 1));
        transactions += 1;
      } else {
        seen = [];
      }
    }
    expect(transactions).toBe([...farmTransactions(SCALE)].length);
  });

  it('have a tombstone after each delete, and places in the log that rise', () => {
    let lsn = 0;
    let deleted: object | null = null;
    let tombstones = 0;
    for (const { key, value } of records()) {
      if (value === null) {
        expect(key).toEqual(deleted);
        tombstones += 1;
        continue;
      }
      const { op, source } = value as { op?: string; source?: { lsn: number } };
      deleted = op === 'd' ? key : null;
      if (source === undefined) continue;
      expect(source.lsn).toBeGreaterThan(lsn);
      ({ lsn } = source);
    }
    expect(tombstones).toBeGreaterThan(10);
  });
});

describe('transactions joined', () => {
  it('come to the same rows, at most one statement’s row for each key', () => {
    const rows = new Map<CapturedTableName, Map<string, SourceRow>>();
    for (const { changes } of joined(farmTransactions(SCALE), 1_000)) {
      for (const [table, { inserts, updates, deletes }] of netEffect(changes)) {
        const standing = rows.get(table) ?? new Map<string, SourceRow>();
        rows.set(table, standing);
        const keys = [...inserts, ...updates, ...deletes].map((row) => keyText(table, row));
        expect(new Set(keys).size).toBe(keys.length);
        expect(inserts.filter((row) => standing.has(keyText(table, row)))).toEqual([]);
        expect([...updates, ...deletes].filter((row) => !standing.has(keyText(table, row)))).toEqual([]);
        for (const row of [...inserts, ...updates]) standing.set(keyText(table, row), row);
        for (const row of deletes) standing.delete(keyText(table, row));
      }
    }
    const wanted = settled([...farmTransactions(SCALE)].flatMap(({ changes }) => changes));
    const byKey = (table: CapturedTableName, all: Iterable<SourceRow>) => new Map([...all].map((row) => [keyText(table, row), row])); // prettier-ignore
    for (const [table, all] of wanted) expect(rows.get(table)).toEqual(byKey(table, all));
  });
});
