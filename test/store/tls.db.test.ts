/** TLS to the state store: each mode does what libpq's documentation says, against a real server with `ssl = on`. */
import { readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { createPool, connect } from '../../src/store/transaction.ts';
import { storeAccessOf } from '../../src/wiring-access.ts';
import { Certificates, PASSPHRASE } from '../support/certificates.ts';
import type { Issued, Parties } from '../support/certificates.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

let made: Certificates;
let parties: Parties;
let plain: PostgresServer;
/** `local`: its certificate is for 127.0.0.1 and localhost; `elsewhere`: for another name. */
let local: PostgresServer;
let elsewhere: PostgresServer;

/** `open` comes in with any encryption, `carried` with a certificate of its own name alone. */
const HBA = `
hostnossl all postgres 127.0.0.1/32 trust
hostssl all open 127.0.0.1/32 trust
hostssl all carried 127.0.0.1/32 cert
`;

beforeAll(async () => {
  made = await Certificates.open();
  parties = await made.parties('carried');
  const start = async ({ certFile, keyFile }: Issued): Promise<PostgresServer> => {
    const files = {
      'server.crt': await readFile(certFile, 'utf8'),
      'server.key': await readFile(keyFile, 'utf8'),
      'clients.crt': await readFile(parties.authority.caFile, 'utf8'),
      'pg_hba.conf': HBA,
    };
    const server = await startPostgres({ ssl: 'on', ssl_ca_file: 'clients.crt' }, undefined, files);
    await session(server, 'postgres', {}, '?sslmode=disable').then((run) =>
      run('CREATE ROLE open LOGIN; CREATE ROLE carried LOGIN'),
    );
    return server;
  };
  [plain, local, elsewhere] = await Promise.all([
    startPostgres(),
    start(await parties.authority.issue('server')),
    start(await parties.authority.issue('server', 'DNS:state.example')),
  ]);
});
afterAll(async () => {
  await Promise.all([plain, local, elsewhere].map((server) => server[Symbol.asyncDispose]()));
  await made[Symbol.asyncDispose]();
});

/** As a process does it: from settings to a connection; the result runs one statement and closes. */
async function session(
  server: PostgresServer,
  user: string,
  store: Readonly<Record<string, string>>,
  query = '',
  host = '127.0.0.1',
): Promise<(sql: string) => Promise<unknown[]>> {
  const text = JSON.stringify({
    store: { url: `postgres://${user}@${host}:${server.port}/postgres${query}`, ...store },
  });
  const { config } = loadConfig({ env: {}, file: 'settings', readFile: () => text });
  const { url, tls } = storeAccessOf(config);
  const pool = createPool({ connectionString: url, tls, max: 1 }, () => undefined);
  try {
    const connected = await connect(pool);
    return async (sql) => {
      const { rows } = await connected.query<Record<string, unknown>>(sql);
      connected.release();
      await pool.end();
      return rows ?? [];
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

const CIPHER = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

const encrypted = async (...args: Parameters<typeof session>): Promise<boolean> => {
  const [row] = (await (await session(...args))(CIPHER)) as { ssl: boolean }[];
  return row?.ssl === true;
};

describe('a server that speaks TLS', () => {
  it('is spoken to with TLS unless the mode says no', async () => {
    expect(await encrypted(local, 'open', {})).toBe(true);
    expect(await encrypted(local, 'open', { tlsMode: 'prefer' })).toBe(true);
    expect(await encrypted(local, 'open', { tlsMode: 'require' })).toBe(true);
    expect(await encrypted(local, 'postgres', { tlsMode: 'disable' })).toBe(false);
    await expect(session(local, 'open', { tlsMode: 'disable' })).rejects.toMatchObject({ code: 'STO002' });
  });

  it('may be anybody for prefer and require, unless an authority is named', async () => {
    for (const tlsMode of ['prefer', 'require'])
      expect(await encrypted(elsewhere, 'open', { tlsMode })).toBe(true);
    expect(
      await encrypted(elsewhere, 'open', { tlsMode: 'require', tlsCaFile: parties.authority.caFile }),
    ).toBe(true);
    await expect(
      session(local, 'open', { tlsMode: 'require', tlsCaFile: parties.otherCaFile }),
    ).rejects.toMatchObject({ code: 'STO010', retryable: true });
  });

  it('must be vouched for by the authority for verify-ca, whatever its name', async () => {
    expect(
      await encrypted(elsewhere, 'open', { tlsMode: 'verify-ca', tlsCaFile: parties.authority.caFile }),
    ).toBe(true);
    await expect(
      session(elsewhere, 'open', { tlsMode: 'verify-ca', tlsCaFile: parties.otherCaFile }),
    ).rejects.toMatchObject({
      code: 'STO010',
      message: expect.stringMatching(
        /its certificate is .*not trusted.*; check store.tlsMode, store.tlsCaFile and store.url/,
      ) as string,
    });
  });

  it.each(['127.0.0.1', 'localhost'])('must be who it is called (%s) for verify-full', async (host) => {
    const full = { tlsMode: 'verify-full', tlsCaFile: parties.authority.caFile };
    expect(await encrypted(local, 'open', full, '', host)).toBe(true);
    await expect(session(elsewhere, 'open', full, '', host)).rejects.toMatchObject({
      code: 'STO010',
      message: expect.stringContaining('its certificate is for another name') as string,
    });
    await expect(
      session(local, 'open', { tlsMode: 'verify-full', tlsCaFile: parties.otherCaFile }, '', host),
    ).rejects.toMatchObject({ code: 'STO010' });
    // The public authorities know nothing of it.
    await expect(session(local, 'open', { tlsMode: 'verify-full' }, '', host)).rejects.toMatchObject({
      code: 'STO010',
    });
  });

  it('is told who we are by a certificate, with a passphrase on its key or without', async () => {
    const settings = ({ certFile, keyFile }: Issued) => ({
      tlsMode: 'verify-full',
      tlsCaFile: parties.authority.caFile,
      tlsCertFile: certFile,
      tlsKeyFile: keyFile,
    });
    expect(await encrypted(local, 'carried', settings(parties.client))).toBe(true);
    expect(
      await encrypted(local, 'carried', { ...settings(parties.locked), tlsKeyPassphrase: PASSPHRASE }),
    ).toBe(true);
    await expect(
      session(local, 'carried', { tlsMode: 'verify-full', tlsCaFile: parties.authority.caFile }),
    ).rejects.toMatchObject({ code: 'STO002', message: expect.stringContaining('certificate') as string });
    await expect(session(local, 'carried', settings(parties.stranger))).rejects.toMatchObject({
      code: 'STO010',
    });
  });

  it('may be described by the url alone, as libpq reads it', async () => {
    const files = `&sslrootcert=${parties.authority.caFile}&sslcert=${parties.client.certFile}&sslkey=${parties.client.keyFile}`;
    expect(await encrypted(local, 'carried', {}, `?sslmode=verify-full${files}`)).toBe(true);
    expect(await encrypted(elsewhere, 'open', {}, '?sslmode=require')).toBe(true);
    await expect(
      session(elsewhere, 'open', {}, `?sslmode=verify-full&sslrootcert=${parties.authority.caFile}`),
    ).rejects.toMatchObject({ code: 'STO010' });
  });
});

describe('a server that speaks no TLS', () => {
  it('is enough for prefer and disable, and for nothing more', async () => {
    for (const tlsMode of ['prefer', 'disable'])
      expect(await encrypted(plain, 'postgres', { tlsMode })).toBe(false);
    for (const tlsMode of ['require', 'verify-full']) {
      await expect(session(plain, 'postgres', { tlsMode })).rejects.toMatchObject({
        code: 'STO010',
        message: expect.stringContaining('it speaks no TLS') as string,
      });
    }
  });
});
