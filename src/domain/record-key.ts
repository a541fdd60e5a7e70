/**
 * Which row a record speaks of, whatever schema its key was written with. In the registry's wire format a zero and
 * the schema's number come first; after a registry was lost, or a key's type has widened, the same row's key has
 * another number before the same bytes.
 */
const HEADER_BYTES = 5;

/** The key without that header. The store says the same in SQL (`record_key_body`). */
export function recordKeyBody(key: Buffer): Buffer {
  return key.length > HEADER_BYTES && key[0] === 0 ? key.subarray(HEADER_BYTES) : key;
}
