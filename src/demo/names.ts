/** Every run of the demo has names of its own, so that it begins from nothing; the last run's are removed first. */
import type { Admin } from 'kafkajs';
import pg from 'pg';
import type { Config } from '../config/load.ts';
import { ConnectClient } from '../connect/client.ts';
import { connectOf } from '../wiring-access.ts';

const MARK = 'anchorline_demo';

/** The settings with the names of one run; `run` is digits. */
export function demoConfig(config: Config, run: string, horizon: string): Config {
  const name = `${MARK}_${run}`;
  const source = new URL(config.source.adminUrl);
  source.pathname = `/${name}`;
  return {
    ...config,
    topics: { ...config.topics, prefix: `${name}_farm`, namespace: name },
    ingest: { ...config.ingest, groupId: `${name}-ingest` },
    recompute: { ...config.recompute, groupId: `${name}-recompute` },
    store: { ...config.store, schema: name },
    source: { ...config.source, adminUrl: source.href, slot: name, publication: name },
    connect: { ...config.connect, connector: name },
    scheduler: { ...config.scheduler, horizon },
  };
}

/** Removes what earlier runs left: connectors, slots, databases, schemas, topics. */
export async function removeEarlierRuns(config: Config, admin: Admin): Promise<void> {
  const connect = new ConnectClient(connectOf(config));
  for (const connector of await connect.connectors()) {
    if (connector.startsWith(MARK)) await connect.remove(connector);
  }
  const topics = (await admin.listTopics()).filter((topic) => topic.includes(MARK));
  if (topics.length > 0) await admin.deleteTopics({ topics });
  await inDatabase(maintenanceUrl(config.source.adminUrl), dropDatabases);
  await inDatabase(config.store.url, dropSchemas);
}

/** Makes the run's source database, empty. */
export async function createSource(config: Config): Promise<void> {
  const name = new URL(config.source.adminUrl).pathname.slice(1);
  await inDatabase(maintenanceUrl(config.source.adminUrl), async (client) => {
    await client.query(`create database ${pg.escapeIdentifier(name)}`);
  });
}

function maintenanceUrl(url: string): string {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  return maintenance.href;
}

async function inDatabase(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function dropDatabases(client: pg.Client): Promise<void> {
  const mine = [`${MARK}\\_%`];
  await client.query(
    `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name like $1 and active`,
    mine,
  );
  const slots = await client.query<{ name: string }>(
    `select slot_name as name from pg_replication_slots where slot_name like $1`,
    mine,
  );
  for (const { name } of slots.rows) await dropSlot(client, name);
  const databases = await client.query<{ name: string }>(
    `select datname as name from pg_database where datname like $1`,
    mine,
  );
  for (const { name } of databases.rows) {
    await client.query(`drop database ${pg.escapeIdentifier(name)} with (force)`);
  }
}

/** A walsender that was told to end holds its slot for a moment longer. */
async function dropSlot(client: pg.Client, name: string): Promise<void> {
  for (let tries = 50; ; tries -= 1) {
    try {
      await client.query('select pg_drop_replication_slot($1)', [name]);
      return;
    } catch (error) {
      if (tries === 0 || (error as pg.DatabaseError).code !== '55006') throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function dropSchemas(client: pg.Client): Promise<void> {
  const schemas = await client.query<{ name: string }>(
    `select nspname as name from pg_namespace where nspname like $1`,
    [`${MARK}\\_%`],
  );
  for (const { name } of schemas.rows) {
    await client.query(`drop schema ${pg.escapeIdentifier(name)} cascade`);
  }
}
