/** What a computation of a schema and its threads tell each other. */
import type { BulkChunk } from '../bulk/plan.ts';
import type { ChunkResult } from '../bulk/step.ts';
import type { Config } from '../config/load.ts';
import { AnchorlineError } from '../domain/errors.ts';
import { errorCode } from '../runtime/describe-error.ts';

export interface BulkWorkerData {
  /** Its `store.schema` is the one to compute. */
  readonly config: Config;
  /** Chunks, and connections, at a time. */
  readonly lanes: number;
}

export type BulkOrder =
  | { readonly kind: 'compute'; readonly id: number; readonly chunk: BulkChunk }
  | { readonly kind: 'end' };

export type BulkAnswer =
  | { readonly id: number; readonly result: ChunkResult }
  | { readonly id: number; readonly thrown: Thrown };

/** An error on its way between threads, which would lose its type and code. */
interface Thrown {
  readonly code: string | null;
  readonly message: string;
  readonly stack: string | undefined;
}

export function toThrown(error: unknown): Thrown {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: errorCode(error), message, stack };
}

export function fromThrown({ code, message, stack }: Thrown): Error {
  const error = code === null ? new Error(message) : new AnchorlineError(code, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
