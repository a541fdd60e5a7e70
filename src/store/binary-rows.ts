/**
 * Rows in the binary form of COPY. The server need not read numbers from text, nor we write them: on both sides more
 * than half of what a new row costs. The columns are those of ROW_COLUMNS, after the revision.
 */
import { isoToDay } from '../domain/day.ts';
import type { RowChanges } from '../domain/ports.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import { ANCHOR_TYPES } from '../domain/rows.ts';
import type { DailyRows } from '../domain/rows.ts';
import { ROW_COLUMNS } from './row-columns.ts';

const CHUNK_BYTES = 1 << 18;
/** More than a row takes without its JSON. */
const ROW_BYTES = 512;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const FIELDS = ROW_COLUMNS.length + 1;
/** Dates count from here. */
const EPOCH = isoToDay('2000-01-01');
const NO_VALUE = -1;
const JSONB_VERSION = 1;
const NEGATIVE = 0x4000;
const TWO_TO_32 = 2 ** 32;
/** From here on doubles lie so far apart that only the text says which decimals are meant. */
const COARSE = 2 ** 46;

const encoder = new TextEncoder();
const ANCHORS = ANCHOR_TYPES.map((type) => (type === null ? null : encoder.encode(type)));

/** The new rows, as chunks for COPY … (FORMAT binary). */
export function* binaryRows(
  changes: readonly RowChanges[],
  revision: bigint,
  codec: RowCodec,
): Generator<Uint8Array> {
  const writer = new RowWriter(revision, codec);
  for (const { rows, inserts } of changes) {
    for (const index of inserts) {
      const full = writer.add(rows, index);
      if (full !== null) yield full;
    }
  }
  yield writer.end();
}

class RowWriter {
  readonly #revision: bigint;
  readonly #codec: RowCodec;
  readonly #origins = new Map<number, Uint8Array>();
  readonly #confidences = new Map<number, Uint8Array>();
  #bytes = new Uint8Array(CHUNK_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = SIGNATURE.length;

  constructor(revision: bigint, codec: RowCodec) {
    this.#revision = revision;
    this.#codec = codec;
    this.#bytes.set(SIGNATURE);
  }

  /** Adds a row; where it has no room any more, what was written before it. */
  add(rows: DailyRows, i: number): Uint8Array | null {
    const sources = this.#sources(rows, i);
    const confidences = this.#confidencesOf(rows.confidences[i]!);
    const need = ROW_BYTES + sources.length + confidences.length;
    const full = this.#at + need > this.#bytes.length ? this.#take(need) : null;
    this.#int16(FIELDS);
    this.#length(8);
    this.#view.setBigInt64(this.#at, this.#revision);
    this.#at += 8;
    this.#int64(rows.assignmentId);
    this.#int32(rows.firstDay + i - EPOCH);
    this.#int64(rows.batchId);
    this.#int64(rows.containerId);
    this.#int64(rows.stageId[i]!);
    this.#int32(rows.firstDayNumber + i);
    this.#numeric(rows.avgWeight[i]!, 2);
    this.#int64(rows.population[i]!);
    this.#numeric(rows.biomass[i]!, 2);
    this.#numeric(rows.temp[i]!, 2);
    this.#int64(rows.deaths[i]!);
    this.#numeric(rows.feed[i]!, 2);
    this.#numeric(rows.fcr[i]!, 3);
    this.#text(ANCHORS[rows.anchor[i]!] ?? null);
    this.#jsonb(sources);
    this.#jsonb(confidences);
    this.#double(rows.weight[i]!);
    this.#double(rows.remainder[i]!);
    this.#double(rows.residual[i]!);
    return full;
  }

  end(): Uint8Array {
    this.#view.setInt16(this.#at, -1);
    return this.#bytes.subarray(0, this.#at + 2);
  }

  /** What is written goes to a stream, which keeps it for a while: the next row begins a new buffer. */
  #take(need: number): Uint8Array {
    const full = this.#bytes.subarray(0, this.#at);
    this.#bytes = new Uint8Array(Math.max(CHUNK_BYTES, need));
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = 0;
    return full;
  }

  #sources(rows: DailyRows, i: number): Uint8Array {
    const code = rows.origins[i]!;
    const activity = rows.activities?.get(i);
    if (activity !== undefined) return encoder.encode(this.#codec.originsToJson(code, activity));
    let known = this.#origins.get(code);
    if (known === undefined)
      this.#origins.set(code, (known = encoder.encode(this.#codec.originsToJson(code))));
    return known;
  }

  #confidencesOf(code: number): Uint8Array {
    let known = this.#confidences.get(code);
    if (known === undefined)
      this.#confidences.set(code, (known = encoder.encode(this.#codec.confidencesToJson(code))));
    return known;
  }

  #int16(value: number): void {
    this.#view.setInt16(this.#at, value);
    this.#at += 2;
  }

  #length(bytes: number): void {
    this.#view.setInt32(this.#at, bytes);
    this.#at += 4;
  }

  #int32(value: number): void {
    this.#length(4);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  /** NaN stands for null, here and below. */
  #int64(value: number): void {
    if (value !== value) return this.#length(NO_VALUE);
    this.#length(8);
    const high = Math.floor(value / TWO_TO_32);
    this.#view.setInt32(this.#at, high);
    this.#view.setUint32(this.#at + 4, value - high * TWO_TO_32);
    this.#at += 8;
  }

  /** Without the sign of a zero, which text does not have either. */
  #double(value: number): void {
    if (value !== value) return this.#length(NO_VALUE);
    this.#length(8);
    this.#view.setFloat64(this.#at, value + 0);
    this.#at += 8;
  }

  #text(bytes: Uint8Array | null): void {
    if (bytes === null) return this.#length(NO_VALUE);
    this.#length(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #jsonb(bytes: Uint8Array): void {
    this.#length(bytes.length + 1);
    this.#view.setUint8(this.#at, JSONB_VERSION);
    this.#bytes.set(bytes, this.#at + 1);
    this.#at += bytes.length + 1;
  }

  /**
   * Groups of four decimal digits: the one with the decimals last, zeros where they are. The value is rounded to
   * `decimals` (2 or 3) already, as the columns are.
   */
  #numeric(value: number, decimals: number): void {
    if (value !== value) return this.#length(NO_VALUE);
    const size = Math.abs(value);
    let whole = Math.trunc(size);
    const shift = 10 ** decimals;
    let part = size < COARSE ? Math.round((size - whole) * shift) : partOfText(size, decimals);
    if (part === shift) [whole, part] = [whole + 1, 0];
    let groups = 1;
    for (let rest = whole; rest >= 10_000; rest = Math.floor(rest / 10_000)) groups += 1;
    this.#length(8 + 2 * (groups + 1));
    const at = this.#at;
    this.#view.setInt16(at, groups + 1);
    this.#view.setInt16(at + 2, groups - 1);
    this.#view.setInt16(at + 4, value < 0 ? NEGATIVE : 0);
    this.#view.setInt16(at + 6, decimals);
    for (let n = groups - 1, rest = whole; n >= 0; n -= 1) {
      const next = Math.floor(rest / 10_000);
      this.#view.setInt16(at + 8 + 2 * n, rest - next * 10_000);
      rest = next;
    }
    this.#view.setInt16(at + 8 + 2 * groups, part * (10_000 / shift));
    this.#at = at + 10 + 2 * groups;
  }
}

/** The decimals that the shortest text of a double has, as an integer. */
function partOfText(size: number, decimals: number): number {
  const [, part = ''] = String(size).split('.');
  return Math.round(Number(`0.${part}`) * 10 ** decimals);
}
