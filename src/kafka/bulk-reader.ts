/**
 * The port by which whole topics are read in bulk, and the form in which their records go from thread to thread: a few
 * buffers that are handed over, not copied.
 */
import type { RecordHeaders, SourceRecord } from '../domain/cdc.ts';

/** Offsets from `from` up to and without `to`. */
export interface TopicRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** Consecutive records of one partition; none where the log holds only markers, aborted records or gaps there. */
export interface PackedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly offsets: BigInt64Array<ArrayBuffer>;
  readonly timestampsMs: Float64Array<ArrayBuffer>;
  /** Of key and value, record by record; -1: there is none. */
  readonly lengths: Int32Array<ArrayBuffer>;
  /** Keys and values, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Headers of the few records that have any, by the record's place in the chunk. */
  readonly headers: ReadonlyMap<number, RecordHeaders>;
  /** Everything of the range below this one was handed over. */
  readonly nextOffset: bigint;
}

export interface BulkReader {
  /**
   * Hands over all that is committed within the ranges; a partition's chunks ascend, one at a time, and the last one's
   * `nextOffset` is the range's end. Waits for `onChunk`: what is in hand stays bounded. Throws KafkaUnavailableError,
   * what `onChunk` threw, or the signal's reason.
   */
  read(
    ranges: readonly TopicRange[],
    onChunk: (chunk: PackedRecords) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface BulkReaderTuning {
  /** About the most that one chunk holds. */
  readonly chunkBytes: number;
  /** Partitions whose chunks may be in hand at the same time. */
  readonly partitionsAtOnce: number;
}

/** A record as a client has it, with its offset made a number of ours. */
export type UnpackedRecord = Pick<SourceRecord, 'offset' | 'timestampMs' | 'key' | 'value' | 'headers'>;

export function packRecords(
  at: { readonly topic: string; readonly partition: number },
  records: readonly UnpackedRecord[],
  nextOffset: bigint,
): PackedRecords {
  const lengths = new Int32Array(records.length * 2);
  let size = 0;
  records.forEach(({ key, value }, i) => {
    lengths[2 * i] = key?.length ?? -1;
    lengths[2 * i + 1] = value?.length ?? -1;
    size += (key?.length ?? 0) + (value?.length ?? 0);
  });
  const packed = {
    topic: at.topic,
    partition: at.partition,
    offsets: new BigInt64Array(records.length),
    timestampsMs: new Float64Array(records.length),
    lengths,
    bytes: new Uint8Array(size),
    headers: new Map<number, RecordHeaders>(),
    nextOffset,
  };
  let end = 0;
  records.forEach(({ offset, timestampMs, key, value, headers }, i) => {
    packed.offsets[i] = offset;
    packed.timestampsMs[i] = timestampMs;
    for (const part of [key, value]) {
      if (part === null) continue;
      packed.bytes.set(part, end);
      end += part.length;
    }
    if (headers !== undefined && Object.keys(headers).length > 0) packed.headers.set(i, headers);
  });
  return packed;
}

/** The buffers that a message to another thread hands over. */
export function transferables({ offsets, timestampsMs, lengths, bytes }: PackedRecords): ArrayBuffer[] {
  return [offsets.buffer, timestampsMs.buffer, lengths.buffer, bytes.buffer];
}

/** The records again; keys and values are views of the chunk's bytes. */
export function unpackRecords(packed: PackedRecords): SourceRecord[] {
  const { topic, partition, offsets, timestampsMs, lengths, bytes, headers } = packed;
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 0;
  const part = (length: number): Buffer | null => {
    if (length < 0) return null;
    end += length;
    return all.subarray(end - length, end);
  };
  return Array.from({ length: offsets.length }, (_, i) => ({
    topic,
    partition,
    offset: offsets[i] as bigint,
    timestampMs: timestampsMs[i] as number,
    key: part(lengths[2 * i] as number),
    value: part(lengths[2 * i + 1] as number),
    ...(headers.has(i) ? { headers: revived(headers.get(i)) } : {}),
  }));
}

/** Between threads a Buffer becomes a plain array of bytes. */
function revived(headers: RecordHeaders = {}): RecordHeaders {
  const revive = (value: Buffer | string): Buffer | string =>
    typeof value === 'string' ? value : Buffer.from(value);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (value === undefined) return [name, value];
      return [name, Array.isArray(value) ? value.map(revive) : revive(value)];
    }),
  );
}
