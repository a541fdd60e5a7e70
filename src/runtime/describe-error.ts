import { AnchorlineError } from '../domain/errors.ts';
import { withoutSecrets } from './mask.ts';

/** An AnchorlineError's code, else the code that Node or Postgres gave, else null. */
export function errorCode(error: unknown): string | null {
  if (error instanceof AnchorlineError) return error.code;
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' || typeof error.code === 'number' ? String(error.code) : null;
}

/** One line for people: `CODE: message`; never a stack, never a secret. */
export function describeError(error: unknown): string {
  const code = errorCode(error);
  const text = messageOf(error);
  return withoutSecrets(code === null || text.startsWith(code) ? text : `${code}: ${text}`);
}

function messageOf(error: unknown): string {
  // Node reports a host with several addresses as an AggregateError without a message of its own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return String(error);
}
