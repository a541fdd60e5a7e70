/** Avro longs without loss: a number where that is exact, a bigint otherwise (Debezium's nanoseconds are). */
import { createRequire } from 'node:module';
import type * as Avsc from 'avsc';

// The very copy that the registry client compiles schemas with: types of two copies do not mix.
const fromClient = createRequire(
  createRequire(import.meta.url).resolve('@kafkajs/confluent-schema-registry'),
);
const { types } = fromClient('avsc') as typeof Avsc;

/** Seven groups of seven bits are always exact as a number. */
const EXACT_BYTES = 7;
const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

/** Reads and writes the zigzag varint itself: unpacking to eight bytes first would cost twice. */
const SAFE_LONG = types.LongType.__with(
  {
    fromBuffer: readLong,
    toBuffer: writeLong,
    fromJSON: Number,
    toJSON: Number,
    isValid: isLong,
    compare: (a: number | bigint, b: number | bigint) => (a < b ? -1 : a > b ? 1 : 0),
  },
  true,
);

/** For avsc's `typeHook`: every long of a schema becomes a safe one. */
export function safeLongs(schema: unknown): Avsc.Type | undefined {
  const isLongSchema = schema === 'long' || (schema as { type?: unknown } | null)?.type === 'long';
  return isLongSchema ? SAFE_LONG : undefined;
}

function readLong(bytes: Uint8Array): number | bigint {
  let zigzag = 0;
  let factor = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    zigzag += ((bytes[at] as number) & 0x7f) * factor;
    factor *= 128;
  }
  if (bytes.length > EXACT_BYTES && zigzag > Number.MAX_SAFE_INTEGER) return readWideLong(bytes);
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}

function readWideLong(bytes: Uint8Array): number | bigint {
  let zigzag = 0n;
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    zigzag = (zigzag << 7n) | BigInt((bytes[at] as number) & 0x7f);
  }
  const value = BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** By their length: what is written is copied at once, so longs of one length share a place. */
const WRITTEN = Array.from({ length: 9 }, (_, length) => Buffer.alloc(length));

function writeLong(value: number | bigint): Buffer {
  const zigzag = Number(value) < 0 ? -2 * Number(value) - 1 : 2 * Number(value);
  if (zigzag > Number.MAX_SAFE_INTEGER) return writeWideLong(BigInt(value));
  let length = 1;
  for (let rest = zigzag; rest >= 128; rest = Math.floor(rest / 128)) length += 1;
  const bytes = WRITTEN[length] as Buffer;
  let rest = zigzag;
  for (let at = 0; at < length - 1; at += 1) {
    bytes[at] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[length - 1] = rest;
  return bytes;
}

function writeWideLong(long: bigint): Buffer {
  let zigzag = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));
  const bytes: number[] = [];
  do {
    const rest = zigzag >> 7n;
    bytes.push(Number(zigzag & 0x7fn) | (rest === 0n ? 0 : 0x80));
    zigzag = rest;
  } while (zigzag !== 0n);
  return Buffer.from(bytes);
}

function isLong(value: unknown): boolean {
  if (typeof value === 'bigint') return value >= MIN_LONG && value <= MAX_LONG;
  return Number.isSafeInteger(value);
}
