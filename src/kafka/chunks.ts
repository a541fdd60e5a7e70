/** Sends are split by size: a broker refuses a record batch above its max.message.bytes. */
import type { Message } from 'kafkajs';

const RECORD_OVERHEAD_BYTES = 32;

/** Consecutive runs of messages of at most `maxBytes`; a single larger message is a run of its own. */
export function* chunksBySize(messages: readonly Message[], maxBytes: number): Generator<readonly Message[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, message] of messages.entries()) {
    const size = sizeOf(message);
    if (at > from && bytes + size > maxBytes) {
      yield messages.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < messages.length) yield messages.slice(from);
}

function sizeOf({ key, value, headers }: Message): number {
  let size = (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
  for (const [name, text] of Object.entries(headers ?? {})) size += name.length + (text?.length ?? 0);
  return size;
}
