/**
 * A farm's table, its connector, its change topic, ingest, and a run of a resnapshot by the real steps: small enough to
 * play thousands of histories. Between any two calls of a step the rest of the world goes on, and any call may be the
 * last of its process. One seed decides everything.
 */
import type { SourceRecord } from '../../src/domain/cdc.ts';
import { StalePositionError } from '../../src/domain/errors.ts';
import type { Fact } from '../../src/domain/facts.ts';
import { SWEEP_HEADER } from '../../src/domain/resnapshot.ts';
import type { Disturbed, Resnapshot, ResnapshotStore, SweepTopics } from '../../src/domain/resnapshot.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { changeTopic, notificationTopic } from '../../src/domain/topics.ts';
import { stepRun } from '../../src/resnapshot/drive.ts';
import { readShown } from '../../src/resnapshot/reader.ts';
import { planRun } from '../../src/resnapshot/start.ts';
import type { SweepDeps } from '../../src/resnapshot/tables.ts';
import { MemoryDatabase, partitionKey } from './memory-database.ts';
import { MemoryResnapshots } from './memory-resnapshots.ts';
import { Random } from './sim-random.ts';

const PREFIX = 'farm';
const TABLE = 'batch_batch';
const TOPIC = changeTopic(PREFIX, TABLE);
const NEWS = notificationTopic(PREFIX);
const RUN = 'run';
const PARTITIONS = 2;
const IDS = 6;
const CHUNK_ROWS = 2;

/** Ways to build a wrong sweep, so that the histories can be seen to notice. */
export interface WorldSabotage {
  readonly store?: (store: ResnapshotStore) => ResnapshotStore;
}

/** The process that made the call is dead. */
class Crash extends Error {}

interface Change {
  readonly id: number;
  /** null: deleted. */
  readonly version: number | null;
}

interface Window {
  readonly low: number;
  readonly rows: ReadonlyMap<number, number>;
  high: number | null;
}

export class ResnapshotWorld {
  readonly #random: Random;
  readonly #db = new MemoryDatabase();
  readonly #runs = new MemoryResnapshots(this.#db);
  readonly #store: ResnapshotStore;
  readonly #logs = new Map<string, SourceRecord[]>();
  /** The source's rows, and its WAL since the slot was made. */
  readonly #rows = new Map<number, number>();
  readonly #wal: (Change | 'signal')[] = [];
  #streamed = 0;
  #versions = 0;
  /** The connector's producer: in order within a partition, in any order between them. */
  readonly #sending = new Map<string, SourceRecord[]>();
  #scan: { after: number; maximum: number; window: Window | null; read: number } | null = null;
  #requested = false;
  #busy = true;

  constructor(seed: number, sabotage: WorldSabotage = {}) {
    this.#random = new Random(seed);
    this.#store = sabotage.store?.(this.#runs) ?? this.#runs;
    this.#populate();
  }

  /** Plays until the run has ended and everything is ingested; what is wrong then. */
  async play(): Promise<string[]> {
    for (let tick = 0; tick < 4_000; tick += 1) {
      this.#busy = tick < 120;
      for (let i = this.#random.int(0, 3); i > 0; i -= 1) this.#goOn();
      await this.#work(() => this.#request());
      await this.#work(() => this.#read());
      await this.#work(() => this.#drive());
      const run = await this.#runs.latest();
      if (run?.outcome != null && !this.#busy && this.#isQuiet()) return this.#problems(run);
    }
    return ['the run does not end'];
  }

  /** What differs between the source, the facts, and the topic compacted. */
  #problems(run: Resnapshot): string[] {
    const source = this.#texts(this.#rows);
    const facts = [...(this.#db.facts.get('batch')?.committed.entries() ?? [])];
    const kept = new Map(facts.map(([id, fact]) => [id, (fact as unknown as { version: number }).version]));
    const compacted = new Map<number, number>();
    for (const records of this.#logs.values()) {
      for (const { topic, key, value } of records) {
        if (topic !== TOPIC) continue;
        const { id } = JSON.parse(String(key)) as { id: number };
        if (isEnd(value)) compacted.delete(id);
        else compacted.set(id, (JSON.parse(String(value)) as { version: number }).version);
      }
    }
    return [
      ...(run.outcome === 'done' ? [] : [`the run is ${run.outcome}: ${run.why}`]),
      ...(this.#texts(kept) === source ? [] : [`source ${source}, facts ${this.#texts(kept)}`]),
      ...(this.#texts(compacted) === source ? [] : [`source ${source}, topic ${this.#texts(compacted)}`]),
    ];
  }

  async dump() {
    return {
      run: await this.#runs.latest(),
      parts: await this.#runs.partitions(),
      sending: [...this.#sending.values()].map((x) => x.length),
      scan: this.#scan,
      wal: this.#wal.length,
      streamed: this.#streamed,
      requested: this.#requested,
    };
  }

  #texts(rows: ReadonlyMap<number, number>): string {
    return JSON.stringify([...rows].sort(([a], [b]) => a - b));
  }

  /** What was there before the gap: facts and records, some of rows that are gone or have changed since. */
  #populate(): void {
    for (let id = 1; id <= IDS; id += 1) {
      if (this.#random.chance(0.2)) continue;
      this.#versions += 1;
      this.#append(this.#record(id, this.#versions));
      this.#rows.set(id, this.#versions);
    }
    for (let partition = 0; partition < PARTITIONS; partition += 1) while (this.#ingest(partition));
    for (const id of this.#rows.keys()) {
      if (this.#random.chance(0.4)) this.#rows.delete(id);
      else if (this.#random.chance(0.3)) this.#rows.set(id, (this.#versions += 1));
    }
  }

  async #work(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // A reader whose place was lost looks again where it is.
      if (!(error instanceof Crash) && !(error instanceof StalePositionError)) throw error;
    }
  }

  // ── the farm and its connector ─────────────────────────────────────────────

  #goOn(): void {
    const acts = [
      () => this.#busy && this.#write(),
      () => this.#stream(),
      () => this.#readChunk(),
      () => this.#deliver(),
      () => this.#deliver(),
      () => this.#ingest(this.#random.int(0, PARTITIONS - 1)),
      () => this.#busy && this.#random.chance(0.02) && this.#runs.loseUnlogged(),
    ];
    this.#random.pick(acts)();
  }

  #write(): void {
    const id = this.#random.int(1, IDS);
    const isGone = this.#random.chance(0.5);
    if (isGone && !this.#rows.has(id)) return;
    this.#versions += 1;
    if (isGone) this.#rows.delete(id);
    else this.#rows.set(id, this.#versions);
    this.#wal.push({ id, version: isGone ? null : this.#versions });
  }

  /** One entry of the WAL; behind a window's end its rows follow, without those that changed inside it. */
  #stream(): void {
    const entry = this.#wal[this.#streamed];
    if (entry === undefined) return;
    this.#streamed += 1;
    if (entry === 'signal') {
      this.#tell('STARTED', {});
      const maximum = Math.max(0, ...this.#rows.keys());
      if (maximum === 0) this.#tell('TABLE_SCAN_COMPLETED', { status: 'EMPTY', total_rows_scanned: '9' });
      else this.#scan = { after: 0, maximum, window: null, read: 0 };
    } else {
      // A delete is an event with a value, and then a tombstone.
      if (entry.version === null) this.#send({ ...this.#record(entry.id, null), value: DELETE_EVENT });
      this.#send(this.#record(entry.id, entry.version));
    }
    this.#closeWindow();
  }

  #readChunk(): void {
    const scan = this.#scan;
    if (scan === null) return;
    if (scan.window === null) {
      const ids = [...this.#rows.keys()]
        .filter((id) => id > scan.after && id <= scan.maximum)
        .sort((a, b) => a - b);
      const chosen = ids.slice(0, CHUNK_ROWS);
      if (chosen.length === 0) {
        this.#scan = null;
        this.#tell('TABLE_SCAN_COMPLETED', { status: 'SUCCEEDED', total_rows_scanned: String(scan.read) });
        this.#tell('COMPLETED', {});
        return;
      }
      const rows = new Map(chosen.map((id) => [id, this.#rows.get(id) as number]));
      scan.window = { low: this.#lowMark(), rows, high: null };
      scan.after = chosen.at(-1) ?? scan.after;
      scan.read += chosen.length;
    } else if (scan.window.high === null) {
      scan.window.high = this.#wal.length;
      this.#closeWindow();
    }
  }

  /** The mark is written before the rows are read: some changes may lie between. */
  #lowMark(): number {
    return Math.max(this.#streamed, this.#wal.length - this.#random.int(0, 2));
  }

  #closeWindow(): void {
    const window = this.#scan?.window;
    if (window == null || window.high === null || this.#streamed < window.high) return;
    const inside = this.#wal.slice(window.low, window.high);
    const changed = new Set(inside.map((entry) => (entry === 'signal' ? 0 : entry.id)));
    for (const [id, version] of window.rows) if (!changed.has(id)) this.#send(this.#record(id, version));
    if (this.#scan !== null) this.#scan.window = null;
  }

  #tell(type: string, data: Readonly<Record<string, string>>): void {
    const value = {
      id: RUN,
      type,
      aggregate_type: 'Incremental Snapshot',
      additional_data: { scanned_collection: `public.${TABLE}`, ...data },
    };
    this.#send({
      ...this.#record(0, 0),
      topic: NEWS,
      partition: 0,
      value: Buffer.from(JSON.stringify(value)),
    });
  }

  #record(id: number, version: number | null): SourceRecord {
    const key = Buffer.from(JSON.stringify({ id }));
    const value = version === null ? null : Buffer.from(JSON.stringify({ version }));
    return { topic: TOPIC, partition: id % PARTITIONS, offset: 0n, timestampMs: 0, key, value };
  }

  #send(record: SourceRecord): void {
    const name = partitionKey(record);
    this.#sending.set(name, [...(this.#sending.get(name) ?? []), record]);
  }

  #deliver(): void {
    const waiting = [...this.#sending.values()].filter((records) => records.length > 0);
    const record = waiting.length === 0 ? undefined : this.#random.pick(waiting).shift();
    if (record !== undefined) this.#append(record);
  }

  #append(record: SourceRecord): void {
    const log = this.#logs.get(partitionKey(record)) ?? [];
    this.#logs.set(partitionKey(record), log);
    log.push({ ...record, offset: BigInt(log.length) });
  }

  #ingest(partition: number): boolean {
    const key = partitionKey({ topic: TOPIC, partition });
    const { committed } = this.#db.positions;
    const record = this.#logs.get(key)?.[Number(committed.get(key) ?? 0n)];
    if (record === undefined) return false;
    const { id } = JSON.parse(String(record.key)) as { id: number };
    const facts = this.#db.facts.get('batch')?.committed;
    if (isEnd(record.value)) facts?.delete(id);
    else facts?.set(id, { id, ...(JSON.parse(String(record.value)) as object) } as unknown as Fact);
    committed.set(key, record.offset + 1n);
    return true;
  }

  #isQuiet(): boolean {
    const sending = [...this.#sending.values()].some((records) => records.length > 0);
    if (sending || this.#scan !== null || this.#streamed < this.#wal.length) return false;
    for (let partition = 0; partition < PARTITIONS; partition += 1) if (this.#ingest(partition)) return false;
    return true;
  }

  // ── the run ────────────────────────────────────────────────────────────────

  async #request(): Promise<void> {
    if (this.#requested) return;
    const store = this.#port(this.#store);
    await store.create({ id: RUN, dry: false, force: false, recapture: false, tables: [TABLE] });
    const bounds = await this.#bounds([TOPIC, NEWS]);
    const positions = bounds.map((at) => this.#db.positions.committed.get(partitionKey(at)) ?? 0n);
    const plan = planRun(PREFIX, bounds, positions);
    await store.begin(RUN, plan.starts, plan.moves);
    if (!this.#wal.includes('signal')) this.#wal.push('signal');
    await store.noteRequested(RUN);
    this.#requested = true;
  }

  async #read(): Promise<void> {
    if (!this.#requested) return;
    const store = this.#port(this.#store);
    const partitions = await store.partitions(RUN);
    const at = this.#random.pick(partitions);
    const from = Number(at.read);
    const records = (this.#logs.get(partitionKey(at)) ?? []).slice(from, from + this.#random.int(1, 4));
    if (records.length === 0) return;
    const deps = { store, decoder: JSON_DECODER, settings: DEFAULT_ENGINE_SETTINGS, prefix: PREFIX };
    await readShown(deps, RUN, records, { topic: at.topic, partition: at.partition, expected: at.read });
  }

  async #drive(): Promise<void> {
    const run = await this.#runs.latest();
    if (run === null || run.outcome !== null || !this.#requested) return;
    await stepRun(this.#deps(), run);
  }

  #deps(): SweepDeps {
    const logs = { bounds: (topics: readonly string[]) => this.#bounds(topics) };
    return {
      store: this.#port(this.#store),
      topics: this.#port<SweepTopics>({
        keyEncoder: async () => (key) => Buffer.from(JSON.stringify(key)),
        partitionOf: (key, partitions) => (JSON.parse(String(key)) as { id: number }).id % partitions,
        bury: async (_run, _table, keys) => this.#bury(keys),
        repeat: async (_run, records) => this.#repeat(records),
      }),
      logs: this.#port(logs),
      decoder: JSON_DECODER,
      settings: DEFAULT_ENGINE_SETTINGS,
      clock: { nowMs: () => 0 },
      prefix: PREFIX,
      maxPercent: 100,
      isOutage: (error) => error instanceof Crash,
    };
  }

  #bury(keys: readonly Buffer[]): void {
    for (const key of keys) {
      const { id } = JSON.parse(String(key)) as { id: number };
      this.#append({ ...this.#record(id, null), headers: { [SWEEP_HEADER]: RUN } });
    }
  }

  #repeat(records: readonly Disturbed[]): void {
    for (const { topic, partition, key, value, offset } of records) {
      this.#append({
        topic,
        partition,
        key,
        value,
        offset: 0n,
        timestampMs: 0,
        headers: { [SWEEP_HEADER]: `${RUN} ${offset}` },
      });
    }
  }

  async #bounds(topics: readonly string[]) {
    return topics.flatMap((topic) =>
      Array.from({ length: topic === TOPIC ? PARTITIONS : 1 }, (_, partition) => {
        const end = BigInt(this.#logs.get(partitionKey({ topic, partition }))?.length ?? 0);
        return { topic, partition, low: 0n, end };
      }),
    );
  }

  /** The same port, where the world goes on before each call, and its process may die before or after it. */
  #port<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function' || name === 'partitionOf') return method;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          for (let i = this.#random.int(0, 4); i > 0; i -= 1) this.#goOn();
          this.#mayCrash();
          const result: unknown = await method.apply(target, args);
          this.#mayCrash();
          return result;
        };
      },
    });
  }

  #mayCrash(): void {
    if (this.#busy && this.#random.chance(0.03)) throw new Crash('on purpose');
  }
}

const DELETE_EVENT = Buffer.from('{"op":"d"}');

function isEnd(value: Buffer | null): boolean {
  return value === null || value.equals(DELETE_EVENT);
}

const JSON_DECODER = {
  decode: (bytes: Buffer) => ({ ok: true as const, value: JSON.parse(bytes.toString('utf8')) as unknown }),
};
