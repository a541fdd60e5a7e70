/** The connector's role in the farm's database: every right that its SQL grants is needed, and there is none besides. */
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { DEFAULT_CONNECTOR, capturedTables, loadConnector } from '../../src/connect/definition.ts';
import { prepareSource } from '../../src/connect/source.ts';
import { createSourceSchema } from '../../src/demo/source-database.ts';
import { compareRights, describeRight, sourceRights } from '../../src/domain/rights.ts';
import type { NeededRight } from '../../src/domain/rights.ts';
import { readRights } from '../../src/postgres/rights.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const role = 'farm_reader';
const sqlDir = join(PROJECT_DIR, 'connectors', 'sql');
const needed = sourceRights({ role, database: 'postgres', tables: capturedTables() });

let server: PostgresServer;
let admin: pg.Client;
let heartbeat: string;

const prepare = (log: (line: string) => void = () => undefined) =>
  prepareSource(
    { ...server, password: 'none' },
    { sqlDir, role, password: 'none', publication: 'farm', slot: 'farm' },
    log,
  );

const difference = async () => {
  const { missing, excess } = compareRights(needed, await readRights(admin, role));
  return { missing: missing.map(describeRight), excess: excess.map(describeRight) };
};

/** Does as the role what the connector does, each piece with the rights that it stands for. */
async function actAs(config: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(config);
  await client.connect();
  try {
    for (const table of capturedTables()) await client.query(`SELECT * FROM ${table} LIMIT 1`);
    await client.query(heartbeat);
    await client.query(heartbeat);
    // As its incremental snapshot opens and closes a window.
    await client.query(`INSERT INTO anchorline.signal (id, type, data) VALUES ('w-open', 'window', '{}')`);
    await client.query(`DELETE FROM anchorline.signal WHERE id = 'w-open'`);
    await client.query(`SELECT pg_create_logical_replication_slot('rights', 'pgoutput', true)`);
    await client.query(`SELECT * FROM pg_logical_slot_peek_binary_changes('rights', NULL, 1,
      'proto_version', '1', 'publication_names', 'farm')`);
  } finally {
    await client.end();
  }
}

/** The statement that takes the right away, and the one that gives it back. */
function withoutRight({ on, name, right }: NeededRight): [string, string] {
  if (on === 'role') return [`ALTER ROLE ${name} NO${right}`, `ALTER ROLE ${name} ${right}`];
  return [`REVOKE ${right} ON ${on} ${name} FROM ${role}`, `GRANT ${right} ON ${on} ${name} TO ${role}`];
}

beforeAll(async () => {
  server = await startPostgres({ wal_level: 'logical' });
  admin = new pg.Client({ ...server });
  await admin.connect();
  await createSourceSchema(admin, 'newer');
  await admin.query('CREATE TABLE auth_user (id int PRIMARY KEY, password text)');
  // What everybody has would hide whether the role has it: a farm may have taken it away.
  await admin.query('REVOKE ALL ON DATABASE postgres FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC');
  await prepare();
  const { config } = await loadConnector(join(PROJECT_DIR, 'connectors', 'farm-postgres.yaml'), {
    ...DEFAULT_CONNECTOR,
    host: 'farm',
    port: 5432,
    database: 'postgres',
    registryUrl: 'http://registry',
  });
  heartbeat = config['heartbeat.action.query'] ?? '';
});
beforeEach(() => admin.query('DELETE FROM anchorline.signal'));
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});

describe('the connector’s role', () => {
  const asRole = () => ({ ...server, user: role });

  it('can do what the connector does, and has exactly the rights of the list', async () => {
    await actAs(asRole());
    expect(await difference()).toEqual({ missing: [], excess: [] });
  });

  it.each(needed.map((right) => [describeRight(right), right] as const))('needs %s', async (said, right) => {
    const [take, giveBack] = withoutRight(right);
    await admin.query(take);
    try {
      await expect(actAs(asRole())).rejects.toThrow(refusal(right));
      expect((await difference()).missing).toEqual([said]);
    } finally {
      await admin.query(giveBack);
    }
  });

  it.each([
    'INSERT INTO batch_batch DEFAULT VALUES',
    'UPDATE batch_batch SET status = status',
    'DELETE FROM batch_growthsample',
    'TRUNCATE batch_growthsample',
    'SELECT * FROM auth_user',
    'CREATE TABLE mine (id int)',
    'CREATE TABLE anchorline.mine (id int)',
    'CREATE SCHEMA mine',
    'ALTER PUBLICATION farm DROP TABLE batch_batch',
    'DROP TABLE anchorline.heartbeat',
    'TRUNCATE anchorline.signal',
    'CREATE ROLE another',
    'CREATE DATABASE another',
  ])('may not %s', async (statement) => {
    const client = new pg.Client(asRole());
    await client.connect();
    try {
      await expect(client.query(statement)).rejects.toThrow(/permission denied|must be owner/);
    } finally {
      await client.end();
    }
  });

  it('loses what it was given beyond that when the source is prepared again', async () => {
    await admin.query(`GRANT ALL ON batch_batch, auth_user, anchorline.heartbeat, anchorline.signal TO ${role};
      GRANT UPDATE (treatment_type) ON health_treatment TO ${role};
      ALTER ROLE ${role} CREATEDB CREATEROLE BYPASSRLS`);
    const before = await difference();
    expect(before.excess).toContain('SELECT on table public.auth_user');
    expect(before.excess).toContain(`BYPASSRLS of role ${role}`);
    const said: string[] = [];
    await prepare((line) => void said.push(line));
    expect(await difference()).toEqual({ missing: [], excess: [] });
    expect(said).toContain(`role ${role} had SELECT on auth_user: taken back`);
    await actAs(asRole());
  });
});

function refusal({ on, name, right }: NeededRight): RegExp {
  if (right === 'LOGIN') return /is not permitted to log in/;
  if (right === 'REPLICATION') return /permission denied to use replication slots/;
  return new RegExp(`permission denied for ${on} .?${name.slice(name.indexOf('.') + 1)}`);
}
