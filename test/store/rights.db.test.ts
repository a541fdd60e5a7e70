/** The state store's roles: every right that src/store/roles grants is needed, and there is none besides. */
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compareRights, describeRight, readerRights, runtimeRights } from '../../src/domain/rights.ts';
import type { NeededRight, StoreRole } from '../../src/domain/rights.ts';
import { readRights } from '../../src/postgres/rights.ts';
import { migrate } from '../../src/store/migrate.ts';
import { BUILDS, SHARED, TEST_ROLES, openBuild, openTestStore } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { exerciseStore } from '../support/store-exercise.ts';

const SCHEMA = 'store_1';
const log = (): void => undefined;

const storeRole = (role: string, database = 'postgres'): StoreRole => ({
  role,
  database,
  schema: SCHEMA,
  shared: SHARED,
});

async function difference(pool: Pool, role: string, needed: readonly NeededRight[]) {
  const { missing, excess } = compareRights(needed, await readRights(pool, role));
  return { missing: missing.map(describeRight), excess: excess.map(describeRight) };
}

/** The statement as the role; its error's message, or null. */
async function refusal(
  place: StorePlace,
  role: keyof typeof TEST_ROLES,
  sql: string,
): Promise<string | null> {
  const client = await place.as(role).connect();
  try {
    await client.query(sql);
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.release();
  }
}

const FORBIDDEN = [
  'CREATE TABLE mine (id int)',
  `CREATE TABLE ${SCHEMA}.mine (id int)`,
  `CREATE VIEW ${SHARED}.mine AS SELECT 1`,
  'CREATE SCHEMA mine',
  `ALTER TABLE ${SCHEMA}.daily_state ADD COLUMN mine int`,
  `DROP TABLE ${SCHEMA}.dirt`,
  `TRUNCATE ${SCHEMA}.daily_state`,
  `UPDATE ${SCHEMA}.settings SET hash = ''`,
  `DELETE FROM ${SCHEMA}.position`,
  `UPDATE ${SCHEMA}.build SET kind = 'plain'`,
  `DELETE FROM ${SCHEMA}.migration`,
  `DELETE FROM ${SCHEMA}.retired_assignment`,
  `UPDATE ${SCHEMA}.anomaly SET rule = ''`,
  `SELECT setval('${SHARED}.revision', 1)`,
  'SELECT * FROM other.secret',
  'CREATE ROLE mine',
];

describe.each(BUILDS)('the roles, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
    await place.newStore();
    await place.pool.query('CREATE SCHEMA other; CREATE TABLE other.secret (id int)');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('hold exactly the rights of the lists', async () => {
    const { rows } = await place.pool.query<{ name: string }>('SELECT current_database() AS name');
    const database = rows[0]!.name;
    const runtime = runtimeRights(storeRole(TEST_ROLES.runtime, database));
    const reader = readerRights(storeRole(TEST_ROLES.reader, database));
    const exact = { missing: [], excess: [] };
    expect(await difference(place.pool, TEST_ROLES.runtime, runtime)).toEqual(exact);
    expect(await difference(place.pool, TEST_ROLES.reader, reader)).toEqual(exact);
  });

  it.each(FORBIDDEN)('neither may %s', async (sql) => {
    for (const role of ['runtime', 'reader'] as const)
      expect(await refusal(place, role, sql)).toMatch(/permission denied|must be owner/);
  });

  it('let people read what there is to see, and steer nothing', async () => {
    for (const name of ['daily_state', 'assignment_week', 'batch_week', 'anomaly']) {
      expect(await refusal(place, 'reader', `SELECT * FROM ${SCHEMA}.${name} LIMIT 1`)).toBeNull();
    }
    for (const name of ['fact_batch', 'dirt', 'settings', 'position'])
      expect(await refusal(place, 'reader', `SELECT * FROM ${SCHEMA}.${name}`)).toMatch(/permission denied/);
    const write = `INSERT INTO ${SCHEMA}.anomaly (assignment_id, rule, code, detail) VALUES (1, '', '', '')`;
    expect(await refusal(place, 'reader', write)).toMatch(/permission denied/);
  });
});

describe('the runtime role', () => {
  let place: StorePlace;
  let runs = 0;
  beforeAll(async () => {
    place = await openBuild('plain');
    await place.newStore();
    // What everybody has would hide whether the role has it.
    await place.pool.query('REVOKE ALL ON DATABASE postgres FROM PUBLIC');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const needed = runtimeRights(storeRole(TEST_ROLES.runtime));
  const exercise = async (): Promise<void> => {
    runs += 1;
    await exerciseStore(await openTestStore(place.as('runtime'), SCHEMA, 'plain'), runs);
  };

  it('can do everything that processes and commands do', async () => {
    await expect(exercise()).resolves.toBeUndefined();
  });

  // Logging in and connecting are the server's to refuse: nothing of ours runs then.
  const inside = needed.filter(({ on }) => on !== 'role' && on !== 'database');
  it.each(inside.map((right) => [describeRight(right), right] as const))('needs %s', async (said, right) => {
    const target = `${right.right} ON ${right.on} ${right.name}`;
    await place.pool.query(`REVOKE ${target} FROM ${TEST_ROLES.runtime}`);
    try {
      const object = right.name.slice(right.name.indexOf('.') + 1);
      await expect(exercise()).rejects.toMatchObject({
        code: 'STO006',
        message: expect.stringMatching(new RegExp(`permission denied for ${right.on === 'schema' ? 'schema' : '(table|view|sequence)'} ${object}\\b`)) as string, // prettier-ignore
      });
      expect((await difference(place.pool, TEST_ROLES.runtime, needed)).missing).toEqual([said]);
    } finally {
      await place.pool.query(`GRANT ${target} TO ${TEST_ROLES.runtime}`);
    }
  });

  it('is told all that it lacks before it begins, and what to do', async () => {
    await place.pool.query(
      `REVOKE DELETE ON ${SCHEMA}.dirt FROM store_runtime; REVOKE USAGE ON SEQUENCE ${SHARED}.revision FROM store_runtime`,
    );
    const store = await openTestStore(place.as('runtime'), SCHEMA, 'plain');
    await expect(store.checkRights()).rejects.toMatchObject({
      code: 'STO006',
      message: expect.stringContaining(
        `role store_runtime lacks in the state store: DELETE on table ${SCHEMA}.dirt, USAGE on sequence ${SHARED}.revision. Run`,
      ) as string,
    });
    await migrate(place.as('owner'), { schema: SCHEMA, shared: SHARED }, { log, roles: TEST_ROLES });
    await expect(store.checkRights()).resolves.toBeUndefined();
  });

  it('loses what it was given beyond that with the next migrate', async () => {
    const given = [
      `ALL ON ${SCHEMA}.settings`,
      `CREATE ON SCHEMA ${SHARED}`,
      `SELECT ON ${SCHEMA}.assignment_week_live`,
    ];
    for (const right of given) await place.pool.query(`GRANT ${right} TO store_runtime`);
    expect((await difference(place.pool, TEST_ROLES.runtime, needed)).excess.length).toBeGreaterThan(5);
    await migrate(place.as('owner'), { schema: SCHEMA, shared: SHARED }, { log, roles: TEST_ROLES });
    expect(await difference(place.pool, TEST_ROLES.runtime, needed)).toEqual({ missing: [], excess: [] });
  });
});

describe('migrate', () => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild('plain');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it.each([
    [
      { runtime: 'nobody_of_that_name', reader: null },
      'store.runtimeRole is nobody_of_that_name, but there is no such role',
    ],
    [
      { runtime: null, reader: TEST_ROLES.owner },
      'store.readerRole is store_owner, which is the role that migrates',
    ],
  ])('refuses to grant to %j', async (roles, message) => {
    const migrating = migrate(place.as('owner'), { schema: 'refused', shared: SHARED }, { log, roles });
    await expect(migrating).rejects.toMatchObject({
      code: 'STO007',
      message: expect.stringContaining(message) as string,
    });
  });

  it('says so where the role may not', async () => {
    const migrating = migrate(place.as('runtime'), { schema: 'another', shared: SHARED }, { log });
    await expect(migrating).rejects.toMatchObject({
      code: 'STO006',
      message: expect.stringContaining(
        'permission denied for database postgres. Migrate as the owner',
      ) as string,
    });
  });
});
