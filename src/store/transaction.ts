/** Pools and transactions. */
import pg from 'pg';
import type { ClientBase, Pool, PoolClient, PoolConfig, QueryResult } from 'pg';

import { AnchorlineError, ConfigurationError } from '../domain/errors.ts';
import { tlsFailure } from '../net/tls.ts';
import { PreferringPool } from '../postgres/preferring-pool.ts';
import { NO_TLS, pgSsl, refusesTls } from '../postgres/tls.ts';
import type { PgTls } from '../postgres/tls.ts';
import { StoreUnavailableError, fromDriver } from './errors.ts';
import { Session } from './session.ts';
import type { Names } from './session.ts';

/** The server rolled back what was to be committed; what it had refused before was not seen. Nothing took effect. */
export class AbortedTransactionError extends AnchorlineError {
  constructor() {
    super(
      'STO001',
      'the state store cannot serve at the moment: the transaction had failed before its commit',
      {
        retryable: true,
      },
    );
  }
}

/** A pool whose idle connections may be lost without ending the process: the next statement gets another. */
export function createPool(
  { tls = NO_TLS, ...config }: Omit<PoolConfig, 'ssl'> & { readonly tls?: PgTls },
  onLost: (error: Error) => void,
): Pool {
  const pool = new (tls.mode === 'prefer' ? PreferringPool : pg.Pool)({
    application_name: 'anchorline',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // The system's own default is two hours: until then a statement waits for a server that is gone.
    keepAliveInitialDelayMillis: 10_000,
    ...config,
    ssl: pgSsl(tls),
  });
  pool.on('error', onLost);
  return pool;
}

export const READ_COMMITTED = 'BEGIN';
export const ONE_SNAPSHOT = 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY';
export const WRITING_SNAPSHOT = 'BEGIN ISOLATION LEVEL REPEATABLE READ';

/** Of a transaction that may hold locks of its session: they go with it. */
const UNLOCK = 'SELECT pg_advisory_unlock_all()';

/**
 * Runs `work` in one transaction and commits it. A connection on which ROLLBACK fails is thrown away, so that
 * no transaction is ever left open in the pool.
 */
export async function inTransaction<T>(
  pool: Pool,
  names: Names,
  begin: string,
  work: (session: Session) => Promise<T>,
  locks: 'of the transaction' | 'of the session' = 'of the transaction',
): Promise<T> {
  const unlock = locks === 'of the session' ? `; ${UNLOCK}` : '';
  const client = await connect(pool);
  let broken = false;
  try {
    await control(client, begin);
    const result = await work(new Session(client, names));
    // A transaction that failed inside answers COMMIT with ROLLBACK and no error.
    if ((await control(client, `COMMIT${unlock}`)) !== 'COMMIT') throw new AbortedTransactionError();
    return result;
  } catch (error) {
    // Where there was no answer there will be none to ROLLBACK either, and that wait is as long again.
    broken = isUnanswered(error) || !(await rolledBack(client, unlock));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Ends the session's transaction and begins another, whose snapshot is that of its first statement. */
export async function beginAnew({ client }: Session, begin: string): Promise<void> {
  if ((await control(client, `COMMIT; ${begin}`)) !== 'COMMIT') throw new AbortedTransactionError();
}

/** Runs statements outside a transaction of their own. */
export async function inSession<T>(
  pool: Pool,
  names: Names,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  let broken = false;
  try {
    return await work(new Session(client, names));
  } catch (error) {
    // The statement may still be under way there: whoever came next would wait behind it.
    broken = error instanceof StoreUnavailableError;
    throw error;
  } finally {
    client.release(broken);
  }
}

/** SQLSTATE classes of a refused login, and of a database that is not there. */
const REFUSALS = new Set(['28', '3D']);

/**
 * Throws StoreUnavailableError, or ConfigurationError: STO002 where the server refuses the login or database, STO010 where
 * there is no TLS as it is asked for.
 */
export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    const client = await pool.connect();
    // Lost between two statements, a connection says so by an event, which unheard would end the process. The next
    // statement fails in any case.
    if (client.listenerCount('error') === 0) client.on('error', () => undefined);
    return client;
  } catch (error) {
    if (error instanceof pg.DatabaseError && REFUSALS.has(error.code?.slice(0, 2) ?? '')) {
      throw new ConfigurationError(
        'STO002',
        `the state store refuses the connection: ${error.message}`,
        error,
        true,
      );
    }
    const tls = tlsFailure(error) ?? (refusesTls(error) ? 'it speaks no TLS' : null);
    if (tls !== null) throw tlsError(tls, error);
    throw new StoreUnavailableError(error);
  }
}

function tlsError(failure: string, cause: unknown): ConfigurationError {
  const text = `no TLS with the state store: ${failure}; check store.tlsMode, store.tlsCaFile and store.url`;
  return new ConfigurationError('STO010', text, cause, true);
}

async function control(client: ClientBase, statement: string): Promise<string | undefined> {
  try {
    const result: QueryResult | QueryResult[] = await client.query(statement);
    return Array.isArray(result) ? result[0]?.command : result.command;
  } catch (error) {
    throw fromDriver(error);
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof StoreUnavailableError && !(error.cause instanceof pg.DatabaseError);
}

async function rolledBack(client: PoolClient, unlock: string): Promise<boolean> {
  try {
    await client.query(`ROLLBACK${unlock}`);
    return true;
  } catch {
    return false;
  }
}
