/** Reads rows whose sources or confidences no rule yields: they are findings here, not the end. */
import type { RowCodec } from '../domain/row-codec.ts';

/** No code that packing yields: fields of it are out of their range. */
export const UNREADABLE = 0xffff_ffff;

export function lenient(codec: RowCodec): RowCodec {
  return {
    ...codec,
    jsonToOrigins: (stored) =>
      orElse(() => codec.jsonToOrigins(stored), { code: UNREADABLE, activity: null }),
    jsonToConfidences: (stored) => orElse(() => codec.jsonToConfidences(stored), UNREADABLE),
  };
}

function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError)
      return otherwise;
    throw error;
  }
}
