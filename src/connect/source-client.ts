/** A connection to the source for one piece of work, and its errors in the words of an operator. */
import pg from 'pg';
import { tlsFailure } from '../net/tls.ts';
import { NO_TLS, pgSsl, refusesTls } from '../postgres/tls.ts';
import type { PgTls } from '../postgres/tls.ts';
import { errorCode } from '../runtime/describe-error.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';

export interface PgConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** None where it is left out. */
  readonly tls?: PgTls;
}

const CONNECT_LIMIT_MS = 10_000;

/** Postgres's codes (SQLSTATE). */
const WRONG_PASSWORD = '28P01';
const NO_ENTRY = '28000';
const NO_DATABASE = '3D000';
const NO_RIGHT = '42501';
const NO_TABLE = '42P01';
const NO_SCHEMA = '3F000';
const IN_USE = new Set(['55006', '2BP01']);
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** Connection failures, shutdowns, too many connections; and what Node calls a lost one. */
const LOST = /^(08|53300|57P0|ECONN|EPIPE|ETIMEDOUT)/;

/** Runs the work on a connection of its own. Throws CON006, CON007, CON009, CON012 or CON015, never Postgres's own. */
export async function withSource<T>(config: PgConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connected(config);
  let lost = false;
  client.on('end', () => (lost = true));
  try {
    return await work(client);
  } catch (error) {
    throw sourceError(error, config, lost);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether the source lets the role in with this password; `unknown` where it cannot be tried from here. */
export async function tryLogin(config: PgConfig): Promise<'works' | 'wrong password' | 'unknown'> {
  try {
    const client = await connected(config);
    await client.end();
    return 'works';
  } catch (error) {
    const cause = error instanceof ConnectError ? error.cause : error;
    return errorCode(cause) === WRONG_PASSWORD ? 'wrong password' : 'unknown';
  }
}

async function connected({ tls = NO_TLS, ...config }: PgConfig): Promise<pg.Client> {
  try {
    return await opened(config, pgSsl(tls));
  } catch (error) {
    if (tls.mode !== 'prefer' || !refusesTls(error)) throw loginError(error, config);
  }
  return opened(config, false).catch((error: unknown) => {
    throw loginError(error, config);
  });
}

async function opened(config: PgConfig, ssl: ReturnType<typeof pgSsl>): Promise<pg.Client> {
  const client = new pg.Client({
    ...config,
    ssl,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    application_name: 'anchorline',
  });
  // A connection that is lost fails the statement under way; without a listener it would end the process too.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function loginError(error: unknown, config: PgConfig): ConnectError {
  const code = errorCode(error);
  if (code === NO_DATABASE) {
    return new ConnectError(
      CONNECT_ERRORS.wrongDatabase,
      `there is no database ${config.database} at ${config.host}:${config.port}: name the farm's database in source.adminUrl`,
      { cause: error },
    );
  }
  const tls = tlsFailure(error) ?? (refusesTls(error) ? 'it speaks no TLS' : null);
  if (tls !== null) {
    return new ConnectError(
      CONNECT_ERRORS.sourceUnreachable,
      `no TLS with the source ${addressOf(config)}: ${tls}; check source.tlsMode, source.tlsCaFile and source.adminUrl`,
      { cause: error, retryable: true },
    );
  }
  const mend =
    code === WRONG_PASSWORD
      ? `mend ${config.user}'s password`
      : code === NO_ENTRY
        ? 'pg_hba.conf must let it in from here'
        : 'start it, or check host and port in source.adminUrl';
  return new ConnectError(
    CONNECT_ERRORS.sourceUnreachable,
    `the source ${addressOf(config)} lets nobody in (${wordsOf(error)}): ${mend}`,
    { cause: error, retryable: true },
  );
}

function sourceError(error: unknown, config: PgConfig, lost: boolean): unknown {
  if (error instanceof ConnectError) return error;
  const code = errorCode(error) ?? '';
  const [words, options] = [wordsOf(error), { cause: error }];
  if (lost || LOST.test(code)) {
    return new ConnectError(
      CONNECT_ERRORS.sourceUnreachable,
      `the source ${addressOf(config)} went away (${words}): run this again once it answers`,
      { ...options, retryable: true },
    );
  }
  // Not Postgres's: a bug, or an error of the work's own.
  if (!SQLSTATE.test(code)) return error;
  if (code === NO_RIGHT) {
    return new ConnectError(
      CONNECT_ERRORS.rights,
      `${config.user} may not do this in the source (${words}): run this as a superuser, or as the tables’ owner ` +
        'with CREATEROLE, REPLICATION and CREATE on the database',
      options,
    );
  }
  if (IN_USE.has(code))
    return new ConnectError(CONNECT_ERRORS.stillUsed, `${words}${detailOf(error)}`, options);
  const mend =
    code === NO_TABLE || code === NO_SCHEMA ? ': `anchorline connectors apply` makes what it lacks' : '';
  return new ConnectError(
    CONNECT_ERRORS.sourceRefused,
    `the source ${addressOf(config)} refuses a statement (${code}: ${words})${mend}`,
    options,
  );
}

/** Where Postgres says what it is that still uses a thing. */
function detailOf(error: unknown): string {
  const detail = error instanceof pg.DatabaseError ? error.detail : undefined;
  return detail === undefined ? '' : ` (${detail.replaceAll('\n', '; ')})`;
}

function addressOf({ user, host, port, database }: PgConfig): string {
  return `${user}@${host}:${port}/${database}`;
}

function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(wordsOf).join('; ');
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
