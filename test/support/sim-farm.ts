/** The source database: operators change its rows, Debezium writes what they did into per-table, keyed partitions. */
import type { ChangeEvent, Decoded, SnapshotMark, SourceRecord, SourceRow } from '../../src/domain/cdc.ts';
import { REJECTIONS } from '../../src/domain/cdc.ts';
import type { PartitionId } from '../../src/domain/ports.ts';
import type { TransactionEnd, TransactionMark } from '../../src/domain/transactions.ts';
import type { FarmLife, SimTable } from './sim-tables.ts';
import { SIM_TABLES } from './sim-tables.ts';
import type { Coverage } from './sim-coverage.ts';
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
  /** Topics forget what later records have taken the place of. Then no value is left out of a record. */
  readonly compacting?: boolean;
}

/** Texts that reach the store as they are. */
const REFUSABLE: Readonly<Record<string, string>> = {
  batch_batch: 'status',
  batch_lifecyclestage: 'name',
  infrastructure_container: 'name',
  environmental_environmentalparameter: 'name',
  scenario: 'name',
  scenario_temperatureprofile: 'name',
};

const COVERED_POISON = {
  undecodable: 'record: cannot be decoded',
  unmappable: 'record: cannot be mapped',
  refused: 'record: refused by the store',
} as const;

const POISONS = ['undecodable', 'unmappable', 'refused'] as const;
type Poison = (typeof POISONS)[number];

export interface Emitted {
  readonly record: SourceRecord;
  readonly decoded: Decoded;
  readonly poison: Poison | null;
  /** The upstream transaction that it is of; they are numbered in the order of their commits. */
  readonly transaction: number;
  /** Its place among all records of all topics. */
  readonly place: number;
  /** A later record of its key is all that the topic has kept. */
  compacted: boolean;
}

/** A partition of a table's topic. */
export interface SimPartition extends PartitionId {
  readonly key: string;
  readonly log: readonly Emitted[];
  /** How many records a consumer can see: the broker has not acknowledged the rest. */
  readonly visible: number;
}

interface OwnPartition extends SimPartition {
  readonly log: Emitted[];
  visible: number;
  held: boolean;
}

/** Is told of every record that is written. */
export type Tell = (emitted: Emitted) => void;

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
  readonly #coverage: Coverage | undefined;
  readonly #tell: Tell | undefined;
  readonly #partitions: readonly OwnPartition[];
  readonly #byKey = new Map<string, OwnPartition>();
  readonly #focus: readonly SimTable[];
  /**
   * One kind only: a record that could have been read later is given up when a later one of its key, which never
   * can, is set aside as well.
   */
  readonly #poison: Poison;
  readonly #rows = new Map<string, Map<string, SourceRow>>();
  /** Every record in the order in which the connector wrote it, over all topics. */
  readonly #emitted: Emitted[] = [];
  readonly #byRecord = new Map<SourceRecord, Emitted>();
  #nowMs = 1_700_000_000_000;
  #xid = 0;

  constructor(random: Random, options: FarmOptions, coverage?: Coverage, tell?: Tell) {
    this.#coverage = coverage;
    this.#tell = tell;
    this.#random = random;
    this.#options = options;
    const made = ({ topic, partition }: PartitionId): OwnPartition => {
      return { topic, partition, key: partitionKey({ topic, partition }), log: [], visible: 0, held: false };
    };
    const partitions = SIM_TABLES.flatMap(({ name }) =>
      Array.from({ length: options.partitions }, (_, partition) => made({ topic: name, partition })),
    );
    this.#partitions = [...partitions, made(TRANSACTIONS)];
    this.#focus =
      options.focus.length > 0
        ? SIM_TABLES.filter(({ name }) => options.focus.includes(name))
        : random.shuffled(SIM_TABLES.filter(({ weight }) => weight > 1)).slice(0, 3);
    for (const at of this.#partitions) this.#byKey.set(at.key, at);
    this.#poison = random.pick(POISONS);
    this.life = { from: FIRST_DAY, to: FIRST_DAY + options.days };
  }

  /** Every partition of every table's topic, and that of transactions; always the same objects. */
  partitions(): readonly SimPartition[] {
    return this.#partitions;
  }

  /** The partition's records from an offset on, as far as a consumer can see them. */
  read(at: PartitionId, from: bigint, limit: number): SourceRecord[] {
    const { log, visible } = this.#partition(at);
    const records: SourceRecord[] = [];
    for (let i = Number(from); i < visible && records.length < limit; i += 1) {
      const emitted = log[i] as Emitted;
      if (!emitted.compacted) records.push(emitted.record);
    }
    return records;
  }

  /** From now on new records of a partition are not seen, until they are let go. */
  hold(at: PartitionId): void {
    this.#partition(at).held = true;
  }

  letGo(): void {
    for (const at of this.#partitions) {
      at.held = false;
      at.visible = at.log.length;
    }
  }

  /** The topic forgets the records that later ones of their keys have taken the place of; how many. */
  compact(at: PartitionId): number {
    const { log, visible } = this.#partition(at);
    const later = new Set<string>();
    let count = 0;
    for (const emitted of log.slice(0, visible).reverse()) {
      if (emitted.record.key === null) continue;
      const key = String(emitted.record.key);
      if (later.has(key) && !emitted.compacted) {
        emitted.compacted = true;
        count += 1;
      }
      later.add(key);
    }
    return count;
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
    const seed = this.#random.seed();
    const changes: Change[] = [];
    for (const table of SIM_TABLES) {
      for (let id = 1; id <= table.ids; id += 1) {
        // A smaller share leaves rows out, and the others as they are.
        this.#random.reseed(seed + changes.length * 0x9e37 + id);
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

  /** One transaction of an operator: one or several changes, committed together; how many. */
  act(): number {
    this.#nowMs += this.#random.int(1, 5_000);
    const size = this.#random.chance(0.7) ? 1 : this.#random.int(2, 5);
    const changes = Array.from({ length: size }, () => this.#someChange());
    if (this.#random.chance(0.3)) changes.push(...this.#random.shuffled(this.#plant()));
    this.#xid += 1;
    changes.forEach((change, i) => this.#emit(change, 'none', { id: this.#xid, order: i + 1 }));
    this.#emitEnd({ id: this.#xid, records: changes.length });
    return changes.length;
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
    for (const { record, decoded, poison, transaction } of this.#emitted.slice(-count)) {
      this.#append(record, decoded, poison, transaction);
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
    const poison = !isPlanted && this.#random.chance(this.#options.poison) ? this.#poisonFor(change) : null;
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

  /** Null where the row has nothing in it that could be so. */
  #poisonFor({ table, after }: Change): Poison | null {
    if (this.#poison !== 'refused') return this.#poison;
    return typeof after?.[REFUSABLE[table.name] ?? ''] === 'string' ? 'refused' : null;
  }

  #sent(change: Change, after: SourceRow, poison: Poison | null): SourceRow {
    const sent: Record<string, unknown> = { ...after };
    // Where an earlier record of the row may be set aside, nobody knows the value that is left out.
    const leavesOut = this.#options.poison === 0 && !this.#options.compacting;
    for (const column of leavesOut ? (change.table.texts ?? []) : []) {
      const unchanged = change.before !== null && change.before[column] === after[column];
      if (unchanged && typeof after[column] === 'string' && this.#random.chance(0.4)) {
        sent[column] = UNAVAILABLE;
        this.#coverage?.hit('connector: left a value out');
      }
    }
    if (poison !== null) this.#coverage?.hit(COVERED_POISON[poison]);
    if (poison === 'refused') sent[REFUSABLE[change.table.name] as string] = 'a\0b';
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

  #append(like: SourceRecord, decoded: Decoded, poison: Poison | null, transaction = this.#xid): void {
    const at = this.#partition(like);
    const record = { ...like, offset: BigInt(at.log.length) };
    const place = this.#emitted.length;
    const emitted = { record, decoded, poison, transaction, place, compacted: false };
    at.log.push(emitted);
    if (!at.held) at.visible = at.log.length;
    this.#byRecord.set(record, emitted);
    this.#emitted.push(emitted);
    this.#tell?.(emitted);
  }

  #partition(at: PartitionId): OwnPartition {
    const known = this.#byKey.get(partitionKey(at));
    if (known === undefined) throw new RangeError(`no partition ${partitionKey(at)}`);
    return known;
  }
}

function tableOf(name: string): SimTable {
  return SIM_TABLES.find((candidate) => candidate.name === name) as SimTable;
}

function keyOf(table: SimTable, row: SourceRow): SourceRow {
  return Object.fromEntries(table.key.map((column) => [column, row[column]]));
}
