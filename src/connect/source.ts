/**
 * The operator's preparation of a source: role, heartbeat and signal table, publication. Run as often as wanted;
 * apart from this and the connector nothing ever writes to the source.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../domain/topics.ts';
import { type SqlValues, renderSql } from '../postgres/psql.ts';
import { capturedTables } from './definition.ts';
import { type PgConfig, withSource } from './source-client.ts';
import { type SourceSettings, checkSource, readAwaiting } from './source-state.ts';

export interface PreparedSource {
  /** Captured tables that are in the publication now. */
  readonly captured: readonly string[];
  /** Those that this run added. */
  readonly added: readonly string[];
  /** Captured tables that the source lacks, or that cannot be published. */
  readonly absent: readonly string[];
  /** Added to a publication that was there before: their earlier rows come by snapshotAddedTables only. */
  readonly needSnapshot: readonly string[];
}

const SQL_FILES = ['01-role.sql', '02-heartbeat-signal.sql', '03-publication.sql', '04-no-more.sql'] as const;

/** Throws CON006 to CON012; the message names what is wrong and what mends it. One transaction: all or nothing. */
export async function prepareSource(
  admin: PgConfig,
  settings: SourceSettings,
  log: (line: string) => void = () => undefined,
): Promise<PreparedSource> {
  return withSource(admin, async (client) => {
    client.on('notice', (notice) => log(notice.message ?? ''));
    await checkSource(client, admin, settings.slot);
    const before = await publishedTables(client, settings.publication);
    await client.query('begin');
    try {
      // Running commentary of IF NOT EXISTS helps nobody.
      await client.query("set local client_min_messages = 'warning'");
      for (const file of SQL_FILES) {
        const sql = await readFile(join(settings.sqlDir, file), 'utf8');
        await client.query(renderSql(sql, sqlValues(settings)));
      }
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
    const after = await publishedTables(client, settings.publication);
    return summarise(before, after, await readAwaiting(client, settings.publication));
  });
}

function sqlValues(settings: SourceSettings): SqlValues {
  const { role, password, publication } = settings;
  return { role, password, publication, tables: capturedTables().join(',') };
}

async function publishedTables(client: pg.Client, publication: string): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ tablename: string }>(
    'select tablename from pg_publication_tables where pubname = $1 and schemaname = $2',
    [publication, SOURCE_SCHEMA],
  );
  return new Set(rows.map((row) => row.tablename));
}

function summarise(
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  needSnapshot: readonly string[],
): PreparedSource {
  const names = CAPTURED_TABLES.map((table) => table.name);
  const captured = names.filter((name) => after.has(name));
  return {
    captured,
    added: captured.filter((name) => !before.has(name)),
    absent: names.filter((name) => !after.has(name)),
    needSnapshot,
  };
}
