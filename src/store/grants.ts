/** Gives the roles that use a schema what they need in it, and nothing else: roles/*.sql, run by its owner. */
import { readFile } from 'node:fs/promises';

import type { PoolClient } from 'pg';

import { ConfigurationError } from '../domain/errors.ts';
import { renderSql } from '../postgres/psql.ts';
import type { Names } from './session.ts';

/** null: nothing is granted to such a role, and nothing taken. */
export interface StoreRoles {
  readonly runtime: string | null;
  readonly reader: string | null;
}

/** Throws ConfigurationError STO007 for a role that is not there, or that is the owner itself. */
export async function grantRoles(client: PoolClient, names: Names, roles: StoreRoles): Promise<void> {
  await client.query('BEGIN');
  try {
    for (const file of ['runtime', 'reader'] as const) {
      const role = roles[file];
      if (role === null) continue;
      await checkRole(client, file, role);
      const sql = await readFile(new URL(`roles/${file}.sql`, import.meta.url), 'utf8');
      await client.query(renderSql(sql, { schema: names.schema, shared: names.shared, role }));
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function checkRole(client: PoolClient, which: keyof StoreRoles, role: string): Promise<void> {
  const { rows } = await client.query<{ present: boolean; self: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS present, $1 = current_user AS self`,
    [role],
  );
  if (rows[0]?.present !== true) {
    throw new ConfigurationError(
      'STO007',
      `store.${which}Role is ${role}, but there is no such role: create it (src/store/roles/00-roles.sql)`,
    );
  }
  if (rows[0].self) {
    // Taking everything back first, as the files do, would take it from the schema's owner.
    throw new ConfigurationError(
      'STO007',
      `store.${which}Role is ${role}, which is the role that migrates: it owns the schema. Migrate as another role, ` +
        'by store.url, or leave the setting out',
    );
  }
}
