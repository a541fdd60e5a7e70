/** A dead letter's key or value through the registry, as far as that goes. */
import { AnchorlineError } from '../domain/errors.ts';
import type { AvroDecoder } from '../kafka/avro.ts';
import type { ShownPart } from './letters.ts';

/** Never throws for a registry that does not answer: the letter is shown all the same, by its bytes. */
export async function decodedPart(decoder: AvroDecoder, bytes: Buffer | null): Promise<ShownPart> {
  if (bytes === null) return { kind: 'none' };
  try {
    const decoded = await decoder.decode(bytes);
    return decoded.ok
      ? { kind: 'decoded', value: decoded.value, bytes }
      : { kind: 'raw', why: decoded.rejection.message, bytes };
  } catch (error) {
    if (!(error instanceof AnchorlineError) || !error.retryable) throw error;
    return { kind: 'raw', why: error.message, bytes };
  }
}
