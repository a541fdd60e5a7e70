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
 * Connection exceptions, refused logins, a missing database, insufficient resources (disk, memory, connections),
 * operator intervention, system errors; and class 42: our statements are fixed, so where one names what is not
 * there, or lacks a right, the schema or a grant is to blame and no record, whatever it holds.
 */
const HEALING_CLASSES = new Set(['08', '28', '3D', '42', '53', '57', '58']);
const HEALING_STATES = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '40003', // completion of the transaction unknown: positions tell whether it happened
  '55P03', // lock not available in time
  '25006', // read-only: a standby that is being promoted
  '25P03', // idle in transaction too long
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
  if (error instanceof pg.DatabaseError) return isHealingState(error.code);
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

function isHealingState(state: string | undefined): boolean {
  return state !== undefined && (HEALING_CLASSES.has(state.slice(0, 2)) || HEALING_STATES.has(state));
}
