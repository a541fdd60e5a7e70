/** Which failures of the database may heal, told by SQLSTATE and by type, never by their text. */
import pg from 'pg';

import { AnchorlineError } from '../domain/errors.ts';

/** How a right that is missing is given. */
export const GRANTING =
  'Run `anchorline migrate` as the schema’s owner with store.runtimeRole set, or src/store/roles/runtime.sql';

/**
 * The state store is out of reach, overloaded, refuses the role something, or asked for another attempt: pause and try
 * again.
 */
export class StoreUnavailableError extends AnchorlineError {
  constructor(cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const [code, text] = isMissingRight(cause)
      ? ['STO006', `the role lacks a right in the state store: ${detail}. ${GRANTING}`]
      : ['STO001', `the state store cannot serve at the moment: ${detail}`];
    super(code, text, { cause, retryable: true });
  }
}

/** SQLSTATE 42501: a right that is missing, or something that is its owner's alone to do. */
export function isMissingRight(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '42501';
}

/**
 * The only failures that what is written can be to blame for: cardinality, data, integrity, limits of the program (a
 * value too long for an index). Whatever else the server says is an outage, however odd: a torn page, a full lock
 * table, a plan that went stale, a transaction that had failed before, a schema or a grant that is not there. Our
 * statements are fixed, and no record must be lost because the server is ill.
 */
const CONTENT_CLASSES: ReadonlySet<string> = new Set(['21', '22', '23', '54']);

/** A statement that ran out of time or of memory: it may have been the server's trouble, or this much work's. */
const OVERLOAD_STATES: ReadonlySet<string> = new Set([
  '57014', // the time limit, or an operator
  '53200', // out of memory
]);

const HEALING_SYSTEM_CALLS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** True for failures of infrastructure: they say nothing about the facts or the statement. */
export function isInfrastructure(error: unknown): boolean {
  if (error instanceof AnchorlineError) return error.retryable;
  if (error instanceof pg.DatabaseError) return !isContent(error);
  return error instanceof Error && 'code' in error && HEALING_SYSTEM_CALLS.has(String(error.code));
}

/**
 * What the driver threw from a connection, as the callers of the store see it. The driver reports a lost
 * connection as a bare Error without a code: anything bare that comes from it is taken as such.
 */
export function fromDriver(error: unknown): unknown {
  if (error instanceof AnchorlineError || error instanceof pg.DatabaseError) {
    return isInfrastructure(error) && !(error instanceof AnchorlineError)
      ? new StoreUnavailableError(error)
      : error;
  }
  const bare = error instanceof Error && Object.getPrototypeOf(error) === Error.prototype;
  return bare ? new StoreUnavailableError(error) : error;
}

/** True for an outage that less work at a time may not meet. */
export function isOverload(error: unknown): boolean {
  const { cause } = error instanceof StoreUnavailableError ? error : { cause: error };
  return cause instanceof pg.DatabaseError && OVERLOAD_STATES.has(cause.code ?? '');
}

function isContent(error: pg.DatabaseError): boolean {
  return CONTENT_CLASSES.has(error.code?.slice(0, 2) ?? '');
}
