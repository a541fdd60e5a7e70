/** The source database: operators change its rows, Debezium writes what they did into per-table, keyed partitions. */
import type { ChangeEvent, Decoded, SnapshotMark, SourceRecord, SourceRow } from '../../src/domain/cdc.ts';
import { REJECTIONS } from '../../src/domain/cdc.ts';
import type { PartitionId } from '../../src/domain/ports.ts';
import type { TransactionEnd, TransactionMark } from '../../src/domain/transactions.ts';
import type { FarmLife, SimTable } from './sim-tables.ts';
import { SIM_TABLES } from './sim-tables.ts';
import type { Random } from './sim-random.ts';
import { partitionKey } from './memory-database.ts';

/** What Debezium sends in place of an unchanged value that is stored out of line. */
const UNAVAILABLE = '__debezium_unavailable_value';
const FIRST_DAY = 19_400;
/** Where the ends of transactions are told. */
const TRANSACTIONS: PartitionId = { topic: 'transaction', partition: 0 };

/**
 * A stay that no operator's random change meets. Its count and what it is fed on one day are always changed together, so
 * that any row of that day tells whether it was computed from half of a transaction.
 */
export const PLANTED = { id: 90, day: FIRST_DAY + 2, population: 100_000 } as const;

export interface FarmOptions {
  readonly days: number;
  readonly partitions: number;
  /** Share of changes whose record cannot be ingested. */
  readonly poison: number;
  /** Tables that most changes are of; empty: the seed picks some. */
  readonly focus: readonly string[];
}

type Poison = 'undecodable' | 'unmappable';

interface Emitted {
  readonly record: SourceRecord;
  readonly decoded: Decoded;
  readonly poison: Poison | null;
}

interface Change {
  readonly table: SimTable;
  readonly key: SourceRow;
  readonly before: SourceRow | null;
  readonly after: SourceRow | null;
}

const ROWS_OF_PLANTED: Readonly<Record<string, SourceRow>> = {
  batch_batch: { id: PLANTED.id, batch_number: 'P', species_id: 1, status: 'ACTIVE', start_date: FIRST_DAY },
  batch_batchcontainerassignment: {
    id: PLANTED.id,
    batch_id: PLANTED.id,
    container_id: PLANTED.id,
    lifecycle_stage_id: 1,
    population_count: PLANTED.population,
    avg_weight_g: '10.00',
    assignment_date: FIRST_DAY,
    departure_date: null,
    is_active: true,
  },
};

export class SimFarm {
  readonly life: FarmLife;
  readonly #random: Random;
  readonly #options: FarmOptions;
  readonly #partitions: readonly PartitionId[];
  readonly #focus: readonly SimTable[];
  /**
   * One kind only: a record that could have been read later is given up when a later one of its key, which never
   * can, is set aside as well.
   */
  readonly #poison: Poison;
  readonly #rows = new Map<string, Map<string, SourceRow>>();
  /** Every record in the order in which the connector wrote it, over all topics. */
  readonly #emitted: Emitted[] = [];
  readonly #logs = new Map<string, Emitted[]>();
  readonly #byRecord = new Map<SourceRecord, Emitted>();
  #nowMs = 1_700_000_000_000;
  #xid = 0;

  constructor(random: Random, options: FarmOptions) {
    this.#random = random;
    this.#options = options;
    const partitions = SIM_TABLES.flatMap(({ name }) =>
      Array.from({ length: options.partitions }, (_, partition) => ({ topic: name, partition })),
    );
    this.#partitions = [...partitions, TRANSACTIONS];
    this.#focus =
      options.focus.length > 0
        ? SIM_TABLES.filter(({ name }) => options.focus.includes(name))
        : random.shuffled(SIM_TABLES.filter(({ weight }) => weight > 1)).slice(0, 3);
    for (const at of this.#partitions) this.#logs.set(partitionKey(at), []);
    this.#poison = random.pick(['undecodable', 'unmappable'] as const);
    this.life = { from: FIRST_DAY, to: FIRST_DAY + options.days };
  }

  /** Every partition of every table's topic, and that of transactions; always the same objects. */
  partitions(): readonly PartitionId[] {
    return this.#partitions;
  }

  /** The partition's records from an offset on. */
  read(at: PartitionId, from: bigint, limit: number): SourceRecord[] {
    const log = this.#logs.get(partitionKey(at)) ?? [];
    return log.slice(Number(from), Number(from) + limit).map(({ record }) => record);
  }

  end(at: PartitionId): bigint {
    return BigInt(this.#logs.get(partitionKey(at))?.length ?? 0);
  }

  log(at: PartitionId): readonly Emitted[] {
    return this.#logs.get(partitionKey(at)) ?? [];
  }

  /** `repaired`: the decoder that also reads what was undecodable before. */
  decode(record: SourceRecord, repaired: boolean): Decoded {
    const emitted = this.#byRecord.get(record);
    if (emitted === undefined) throw new Error('a record that nobody wrote');
    if (emitted.poison !== 'undecodable' || repaired) return emitted.decoded;
    return {
      kind: 'rejected',
      rejection: { code: REJECTIONS.undecodable, message: 'not written with a known schema' },
    };
  }

  /** A farm to begin with: most rows of each table, as the rows of an initial snapshot or as live inserts. */
  populate(share: number, snapshot: boolean): void {
    const changes: Change[] = [];
    for (const table of SIM_TABLES) {
      for (let id = 1; id <= table.ids; id += 1) {
        if (this.#random.chance(share)) changes.push(this.#insert(table, id));
      }
    }
    for (const [name, row] of Object.entries(ROWS_OF_PLANTED))
      changes.unshift(this.#put(tableOf(name), null, row));
    changes.forEach((change, i) => {
      const mark: SnapshotMark = i === changes.length - 1 ? 'initial_last' : 'initial';
      this.#emit(change, snapshot ? mark : 'none');
    });
  }

  /** One transaction of an operator: one or several changes, committed together. */
  act(): void {
    this.#nowMs += this.#random.int(1, 5_000);
    const size = this.#random.chance(0.7) ? 1 : this.#random.int(2, 5);
    const changes = Array.from({ length: size }, () => this.#someChange());
    if (this.#random.chance(0.3)) changes.push(...this.#random.shuffled(this.#plant()));
    this.#xid += 1;
    changes.forEach((change, i) => this.#emit(change, 'none', { id: this.#xid, order: i + 1 }));
    this.#emitEnd({ id: this.#xid, records: changes.length });
  }

  /** Both halves of what belongs together, anew. */
  #plant(): Change[] {
    const [stays, feedings] = [tableOf('batch_batchcontainerassignment'), tableOf('inventory_feedingevent')];
    const { id } = PLANTED;
    const many = this.#random.int(1, 1_000);
    const stay = this.#ofId(stays, id) ?? null;
    const fed = { id, batch_id: id, batch_assignment_id: id, container_id: id, feeding_date: PLANTED.day };
    return [
      this.#put(stays, stay, { ...stay, population_count: PLANTED.population + many }),
      this.#put(feedings, this.#ofId(feedings, id) ?? null, { ...fed, amount_kg: `${many}.0000` }),
    ];
  }

  #emitEnd(end: TransactionEnd): void {
    const record = {
      ...TRANSACTIONS,
      offset: 0n,
      timestampMs: this.#nowMs,
      key: null,
      value: Buffer.from('end'),
    };
    this.#append(record, { kind: 'transaction_end', end }, null);
  }

  /** The connector died before it had noted how far it was: the last records are written once more. */
  repeat(count: number): void {
    for (const { record, decoded, poison } of this.#emitted.slice(-count)) {
      this.#append(record, decoded, poison);
    }
  }

  /** The rows as they now are in the source, by table. */
  rows(table: SimTable): readonly SourceRow[] {
    return [...(this.#rows.get(table.name)?.values() ?? [])];
  }

  #someChange(): Change {
    // Races need the same few rows changed again and again, rarities need all of them changed now and then.
    const hot = this.#random.chance(this.#options.focus.length > 0 ? 0.9 : 0.6);
    const tables = hot ? this.#focus : SIM_TABLES;
    const name = this.#random.weighted(Object.fromEntries(tables.map(({ name, weight }) => [name, weight])));
    const table = SIM_TABLES.find((candidate) => candidate.name === name) as SimTable;
    const id = this.#random.int(1, hot ? Math.min(2, table.ids) : table.ids);
    const before = this.#ofId(table, id);
    if (before === undefined) return this.#insert(table, id);
    return this.#random.chance(hot ? 0.4 : 0.25) ? this.#delete(table, before) : this.#update(table, before);
  }

  #ofId(table: SimTable, id: number): SourceRow | undefined {
    return this.rows(table).find((row) => row[table.key[0] as string] === id);
  }

  #insert(table: SimTable, id: number): Change {
    const after: Record<string, unknown> = { [table.key[0] as string]: id };
    for (const [column, make] of Object.entries(table.columns)) after[column] = make(this.#random, this.life);
    return this.#put(table, null, after);
  }

  /** Some columns anew; often none that is mapped, as Django saves whole rows. */
  #update(table: SimTable, before: SourceRow): Change {
    const after: Record<string, unknown> = { ...before, updated_at: this.#nowMs };
    const columns = Object.keys(table.columns).filter((column) => !table.key.includes(column));
    for (let n = this.#random.int(0, 2); n > 0; n -= 1) {
      const column = this.#random.pick(columns);
      after[column] = table.columns[column]?.(this.#random, this.life);
    }
    return this.#put(table, before, after);
  }

  #delete(table: SimTable, before: SourceRow): Change {
    const key = keyOf(table, before);
    this.#rows.get(table.name)?.delete(JSON.stringify(key));
    return { table, key, before, after: null };
  }

  #put(table: SimTable, before: SourceRow | null, after: SourceRow): Change {
    const rows = this.#rows.get(table.name) ?? new Map<string, SourceRow>();
    const key = keyOf(table, after);
    rows.set(JSON.stringify(key), after);
    this.#rows.set(table.name, rows);
    return { table, key, before, after };
  }

  #emit(change: Change, snapshot: SnapshotMark, transaction: TransactionMark | null = null): void {
    const { table, key } = change;
    const isPlanted = key['id'] === PLANTED.id;
    const poison = !isPlanted && this.#random.chance(this.#options.poison) ? this.#poison : null;
    const event = (after: SourceRow | null, committedMs: number | null): ChangeEvent => ({
      kind: 'change',
      table: table.name,
      key,
      after,
      committedMs,
      snapshot,
      // A tombstone has no envelope.
      transaction: committedMs === null ? null : transaction,
    });
    const after = change.after === null ? null : this.#sent(change, change.after, poison);
    this.#append(this.#record(table, key, after), event(after, this.#nowMs), after === null ? null : poison);
    // A delete is followed by the tombstone that lets the topic forget the key.
    if (after === null && this.#random.chance(0.8)) {
      this.#append(this.#record(table, key, null), event(null, null), null);
    }
  }

  #sent(change: Change, after: SourceRow, poison: Poison | null): SourceRow {
    const sent: Record<string, unknown> = { ...after };
    // Where an earlier record of the row may be set aside, nobody knows the value that is left out.
    for (const column of this.#options.poison > 0 ? [] : (change.table.texts ?? [])) {
      const unchanged = change.before !== null && change.before[column] === after[column];
      if (unchanged && typeof after[column] === 'string' && this.#random.chance(0.4))
        sent[column] = UNAVAILABLE;
    }
    if (poison === 'unmappable') sent[change.table.key[0] as string] = 'not a number';
    return sent;
  }

  #record(table: SimTable, key: SourceRow, after: SourceRow | null): SourceRecord {
    const text = JSON.stringify(key);
    let hash = 7;
    for (let i = 0; i < text.length; i += 1) hash = (hash * 31 + text.charCodeAt(i)) >>> 0;
    return {
      topic: table.name,
      partition: hash % this.#options.partitions,
      offset: 0n,
      timestampMs: this.#nowMs,
      key: Buffer.from(text),
      value: after === null ? null : Buffer.from('row'),
    };
  }

  #append(like: SourceRecord, decoded: Decoded, poison: Poison | null): void {
    const log = this.#logs.get(partitionKey(like)) ?? [];
    const record = { ...like, offset: BigInt(log.length) };
    const emitted = { record, decoded, poison };
    log.push(emitted);
    this.#logs.set(partitionKey(like), log);
    this.#byRecord.set(record, emitted);
    this.#emitted.push(emitted);
  }
}

function tableOf(name: string): SimTable {
  return SIM_TABLES.find((candidate) => candidate.name === name) as SimTable;
}

function keyOf(table: SimTable, row: SourceRow): SourceRow {
  return Object.fromEntries(table.key.map((column) => [column, row[column]]));
}
