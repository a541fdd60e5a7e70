/** Joins the wire format and the envelope: a record's bytes → what happened to which row. */
import type { Decoded, Rejection, SourceRecord } from '../domain/cdc.ts';
import { toChange } from '../cdc/envelope.ts';
import { transactionTopic } from '../domain/topics.ts';
import type { RecordDecoder } from './step.ts';

type BytesDecoded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly rejection: Rejection };

/** Bytes → value, at once where the schema is known. */
export interface BytesDecoder {
  decode(bytes: Buffer): BytesDecoded | Promise<BytesDecoded>;
}

const NOTHING: BytesDecoded = { ok: true, value: null };

/** `prefix` is the connector's topic.prefix. */
export function recordDecoder(bytes: BytesDecoder, prefix: string): RecordDecoder {
  const transactions = transactionTopic(prefix);
  const read = (part: Buffer | null) => (part === null ? NOTHING : bytes.decode(part));
  return {
    decode(record) {
      // Its keys say nothing that the values do not, and there are more of them than of anything else.
      const key = record.topic === transactions ? NOTHING : read(record.key);
      const value = read(record.value);
      if (key instanceof Promise || value instanceof Promise) {
        return Promise.all([key, value]).then(([k, v]) => join(record, k, v, prefix));
      }
      return join(record, key, value, prefix);
    },
  };
}

function join(record: SourceRecord, key: BytesDecoded, value: BytesDecoded, prefix: string): Decoded {
  if (!key.ok) return { kind: 'rejected', rejection: key.rejection };
  if (!value.ok) return { kind: 'rejected', rejection: value.rejection };
  return toChange(record.topic, key.value, value.value, prefix);
}
