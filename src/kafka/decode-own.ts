import type { AvroDecoder } from './avro.ts';

/** Of a topic that nobody else writes: what cannot be decoded there ends the reading. */
export async function decodeOwn<T>(decoder: AvroDecoder, topic: string, record: Buffer): Promise<T> {
  const result = await decoder.decode(record);
  if (!result.ok) throw new Error(`${topic} holds what cannot be decoded: ${result.rejection.message}`);
  return result.value as T;
}
