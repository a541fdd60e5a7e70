/** What a replay and its threads tell each other. */
import type { Config } from '../config/load.ts';
import { AnchorlineError } from '../domain/errors.ts';
import type { PackedRecords } from '../kafka/bulk-reader.ts';
import { errorCode } from '../runtime/describe-error.ts';

export interface ReplayWorkerData {
  /** Its `store.schema` is the one that is made. */
  readonly config: Config;
}

export type ReplayOrder =
  | { readonly kind: 'stage'; readonly id: number; readonly chunk: PackedRecords; readonly from: bigint }
  | { readonly kind: 'end' };

export type ReplayAnswer =
  | { readonly id: number; readonly letters: number }
  | { readonly id: number; readonly thrown: Thrown };

/** An error on its way between threads, which would lose its type and code. */
interface Thrown {
  readonly code: string | null;
  readonly message: string;
  readonly retryable: boolean;
  readonly stack: string | undefined;
}

export function toThrown(error: unknown): Thrown {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const retryable = error instanceof AnchorlineError && error.retryable;
  return { code: errorCode(error), message, retryable, stack };
}

export function fromThrown({ code, message, retryable, stack }: Thrown): Error {
  const error = code === null ? new Error(message) : new AnchorlineError(code, message, { retryable });
  if (stack !== undefined) error.stack = stack;
  return error;
}
