/** The port of resnapshots over Maps, beside the in-memory store: every call at once and whole. */
import { StalePositionError } from '../../src/domain/errors.ts';
import type { PartitionId } from '../../src/domain/ports.ts';
import type {
  Disturbed,
  GoneCount,
  KeptTable,
  NewResnapshot,
  Reposition,
  Resnapshot,
  ResnapshotStore,
  RowKey,
  RunNews,
  RunOutcome,
  RunPartition,
  RunStart,
  RunTable,
  ShownBatch,
  TableChange,
  TableState,
} from '../../src/domain/resnapshot.ts';
import type { CapturedTableName } from '../../src/domain/topics.ts';
import { partitionKey } from './memory-database.ts';
import type { MemoryDatabase } from './memory-database.ts';

interface Read {
  next: bigint;
  touched: number;
  unreadable: number;
  sample: Buffer | null;
}

interface Gone {
  readonly row: RowKey;
  sent: boolean;
  back: Disturbed | null;
  own: { readonly offset: bigint; readonly repeats: bigint | null } | null;
}

type Writable<T> = { -readonly [F in keyof T]: T[F] };

export class MemoryResnapshots implements ResnapshotStore {
  readonly #db: MemoryDatabase;
  readonly #runs: Writable<Resnapshot>[] = [];
  readonly #starts = new Map<string, RunStart & { target: bigint | null }>();
  readonly #reads = new Map<string, Read>();
  readonly #shown = new Map<string, boolean>();
  readonly #gone = new Map<CapturedTableName, Map<string, Gone>>();

  constructor(db: MemoryDatabase) {
    this.#db = db;
  }

  /** A crash of the server: what is not logged is empty afterwards. */
  loseUnlogged(): void {
    this.#reads.clear();
    this.#shown.clear();
  }

  async latest(): Promise<Resnapshot | null> {
    const open = this.#runs.find(({ outcome }) => outcome === null);
    const run = open ?? this.#runs.at(-1);
    return run === undefined ? null : { ...run, tables: run.tables.map((table) => ({ ...table })) };
  }

  async create({ id, dry, force, recapture, tables }: NewResnapshot): Promise<boolean> {
    if (this.#runs.some(({ outcome }) => outcome === null)) return false;
    const none = { progress: null, scanned: null, known: null, gone: null, sent: 0, sample: [], note: null };
    this.#runs.push({
      id,
      dry,
      recapture,
      startedMs: 0,
      begun: false,
      requestedMs: null,
      told: false,
      endedMs: null,
      outcome: null,
      why: null,
      tables: [...tables]
        .sort()
        .map((table): RunTable => ({ table, state: 'waiting', sinceMs: 0, force, ...none })),
    });
    return true;
  }

  async begin(id: string, starts: readonly RunStart[], moves: readonly Reposition[]): Promise<void> {
    const run = this.#open(id);
    if (run === undefined || run.begun) return;
    run.begun = true;
    this.loseUnlogged();
    this.#gone.clear();
    this.#starts.clear();
    for (const start of starts) this.#starts.set(partitionKey(start), { ...start, target: null });
    for (const move of moves) {
      const { committed } = this.#db.positions;
      if (committed.get(partitionKey(move)) === move.from) committed.set(partitionKey(move), move.to);
    }
  }

  async noteRequested(id: string): Promise<void> {
    const run = this.#open(id);
    if (run !== undefined) run.requestedMs ??= 0;
  }

  async partitions(): Promise<readonly RunPartition[]> {
    return [...this.#starts].map(([key, { topic, partition, table, start, target }]) => {
      const { next: read, touched, unreadable, sample } = this.#readOf(key, start);
      const ingested = this.#db.positions.committed.get(key) ?? 0n;
      return { topic, partition, table, start, target, read, ingested, touched, unreadable, sample };
    });
  }

  async noteShown(batch: ShownBatch): Promise<void> {
    const read = this.#advance(batch);
    read.unreadable += batch.unreadable;
    for (const { id, timeUs, offset, key, value, own } of batch.records) {
      const name = nameOf({ id, timeUs });
      if (!this.#shown.has(`${batch.table}/${name}`)) read.touched += 1;
      this.#shown.set(`${batch.table}/${name}`, value !== null);
      if (own === null) read.sample = key;
      const gone = this.#gone.get(batch.table)?.get(name);
      if (gone === undefined) continue;
      if (own !== null) gone.own = { offset, repeats: value === null ? null : own.repeats };
      else gone.back = { ...idOf(batch), row: { id, timeUs }, offset, key, value };
    }
  }

  async noteNews(
    id: string,
    at: PartitionId & { readonly expected: bigint; readonly next: bigint },
    news: RunNews,
  ): Promise<void> {
    this.#advance(at);
    const run = this.#open(id);
    if (run === undefined) return;
    if (news.told === true) run.told = true;
    for (const { table, ...change } of news.tables) this.#change(id, table, 'waiting', change);
    if (news.failed !== undefined) await this.end(id, 'failed', news.failed);
  }

  async setTargets(_id: string, ends: readonly (PartitionId & { readonly end: bigint })[]): Promise<void> {
    for (const end of ends) this.#raise(partitionKey(end), end.end);
  }

  async pick(_id: string, of: KeptTable): Promise<void> {
    for (const [at, letter] of this.#db.letters.committed) {
      const start = this.#starts.get(partitionKey(letter.record));
      if (letter.state !== 'open' || start?.table !== of.table || letter.record.offset >= start.start)
        continue;
      this.#db.letters.committed.set(at, { ...letter, state: 'superseded' });
    }
    const gone = new Map<string, Gone>();
    for (const row of this.#kept(of)) {
      if (this.#shown.get(`${of.table}/${nameOf(row)}`) === true) continue;
      gone.set(nameOf(row), { row, sent: false, back: null, own: null });
    }
    this.#gone.set(of.table, gone);
    for (const [key, { table }] of this.#starts) {
      if (table === of.table) this.#raise(key, this.#db.positions.committed.get(key) ?? 0n);
    }
  }

  async countGone(of: KeptTable): Promise<GoneCount> {
    return {
      known: this.#kept(of).length,
      gone: this.#stillGone(of).length,
      sample: await this.nextGone(of, 5),
    };
  }

  async move(id: string, table: CapturedTableName, from: TableState, to: TableChange): Promise<boolean> {
    return this.#change(id, table, from, { note: null, ...to });
  }

  async nextGone(of: KeptTable, limit: number): Promise<readonly RowKey[]> {
    return this.#stillGone(of)
      .filter(({ sent }) => !sent)
      .map(({ row }) => row)
      .sort((a, b) => a.id - b.id || a.timeUs - b.timeUs)
      .slice(0, limit);
  }

  async markSent(id: string, table: CapturedTableName, keys: readonly RowKey[]): Promise<void> {
    const gone = keys.map((key) => this.#gone.get(table)?.get(nameOf(key)));
    const fresh = gone.filter((entry) => entry?.sent === false);
    for (const entry of fresh) if (entry !== undefined) entry.sent = true;
    this.#edit(id, table, (before) => ({ ...before, sent: before.sent + fresh.length }));
  }

  async disturbed(table: CapturedTableName, limit: number): Promise<readonly Disturbed[]> {
    return [...(this.#gone.get(table)?.values() ?? [])]
      .flatMap(({ sent, back, own }) =>
        sent &&
        back !== null &&
        own !== null &&
        own.offset > back.offset &&
        own.repeats !== (back.value === null ? null : back.offset)
          ? [back]
          : [],
      )
      .slice(0, limit);
  }

  async finish(id: string, table: CapturedTableName): Promise<void> {
    this.#gone.delete(table);
    this.#edit(id, table, (before) => ({ ...before, state: 'done', note: null }));
  }

  async release(
    id: string,
    tables: readonly CapturedTableName[],
    force: boolean,
  ): Promise<readonly CapturedTableName[]> {
    const run = this.#open(id);
    if (run === undefined) return [];
    run.dry = false;
    const released = tables.filter((table) =>
      this.#change(id, table, 'held', { state: 'scanned', note: null }),
    );
    for (const table of released) {
      this.#edit(id, table, (before) => ({ ...before, force: before.force || force }));
    }
    return released;
  }

  async end(id: string, outcome: RunOutcome, why: string | null): Promise<void> {
    const run = this.#open(id);
    if (run === undefined) return;
    Object.assign(run, { outcome, why, endedMs: 0 });
    this.loseUnlogged();
    this.#gone.clear();
  }

  #open(id: string): Writable<Resnapshot> | undefined {
    return this.#runs.find((run) => run.id === id && run.outcome === null);
  }

  #edit(id: string, table: CapturedTableName, change: (before: RunTable) => RunTable): void {
    const run = this.#runs.find((candidate) => candidate.id === id);
    if (run !== undefined)
      run.tables = run.tables.map((each) => (each.table === table ? change(each) : each));
  }

  #change(
    id: string,
    table: CapturedTableName,
    from: TableState,
    change: Partial<Omit<RunTable, 'table'>>,
  ): boolean {
    const run = this.#runs.find((candidate) => candidate.id === id);
    if (run?.tables.find((each) => each.table === table)?.state !== from) return false;
    this.#edit(id, table, (before) => ({ ...before, ...change }));
    return true;
  }

  #advance(at: PartitionId & { readonly expected: bigint; readonly next: bigint }): Read {
    const key = partitionKey(at);
    const read = this.#readOf(key, this.#starts.get(key)?.start ?? 0n);
    if (read.next !== at.expected) throw new StalePositionError(at.topic, at.partition, at.expected);
    read.next = at.next;
    return read;
  }

  #readOf(key: string, start: bigint): Read {
    const read = this.#reads.get(key) ?? { next: start, touched: 0, unreadable: 0, sample: null };
    this.#reads.set(key, read);
    return read;
  }

  #raise(key: string, target: bigint): void {
    const start = this.#starts.get(key);
    if (start !== undefined && (start.target === null || start.target < target)) start.target = target;
  }

  #stillGone(of: KeptTable): Gone[] {
    const kept = new Set(this.#kept(of).map(nameOf));
    return [...(this.#gone.get(of.table)?.values() ?? [])].filter(
      ({ row }) => kept.has(nameOf(row)) && this.#shown.get(`${of.table}/${nameOf(row)}`) !== true,
    );
  }

  #kept({ kind }: KeptTable): RowKey[] {
    if (kind === 'reading') {
      return [...this.#db.readings.committed.values()].map(({ id, timeUs }) => ({ id, timeUs }));
    }
    return [...(this.#db.facts.get(kind)?.committed.keys() ?? [])].map((id) => ({ id, timeUs: 0 }));
  }
}

function nameOf({ id, timeUs }: RowKey): string {
  return `${id}/${timeUs}`;
}

function idOf({ topic, partition }: PartitionId): PartitionId {
  return { topic, partition };
}
