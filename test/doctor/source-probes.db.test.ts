/** A farm's Postgres made ill, and what the doctor's looks at it find: the real catalogues, the real servers. */
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { contextOf } from '../../src/compose/doctor.ts';
import { loadConfig } from '../../src/config/load.ts';
import { prepareSource } from '../../src/connect/source.ts';
import { createSourceSchema } from '../../src/demo/source-database.ts';
import { CHECKS, CHECK_IDS } from '../../src/doctor/checks.ts';
import type { CheckId } from '../../src/doctor/checks.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Probes } from '../../src/doctor/probe.ts';
import { openForReading } from '../../src/doctor/probe/postgres.ts';
import { sourceProbes } from '../../src/doctor/probe/source.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { troubles } from '../support/doctor-evidence.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

const ROLE = 'farm_reader';
const SETTINGS = {
  wal_level: 'logical',
  max_replication_slots: '6',
  max_wal_senders: '6',
  max_slot_wal_keep_size: '2GB',
};

let server: PostgresServer;
let admin: pg.Client;

beforeAll(async () => {
  server = await startPostgres(SETTINGS);
  admin = new pg.Client({ ...server });
  await admin.connect();
  await createSourceSchema(admin, 'newer');
  await prepareSource(
    { ...server, password: 'none' },
    {
      sqlDir: join(PROJECT_DIR, 'connectors', 'sql'),
      role: ROLE,
      password: 'none',
      publication: 'farm',
      slot: 'farm',
    },
  );
  await admin.query(`INSERT INTO anchorline.heartbeat VALUES (1, now())`);
  await admin.query(`SELECT pg_create_logical_replication_slot('farm', 'pgoutput', false, false, true)`);
});
afterAll(async () => {
  await admin?.end();
  await server?.[Symbol.asyncDispose]();
});

/** What brings the farm back after a test. */
const undo: string[] = [];
afterEach(async () => {
  for (const statement of undo.splice(0).reverse()) await admin.query(statement);
});

async function ill(sql: string, back?: string): Promise<void> {
  await admin.query(sql);
  if (back !== undefined) undo.push(back);
}

/** The findings of checks that need nothing but the source. */
async function look(
  checks: readonly CheckId[],
  given: { readonly at?: PostgresServer; readonly scanMs?: number } = {},
): Promise<readonly string[]> {
  const { at = server, scanMs = 5_000 } = given;
  const { config } = loadConfig({
    env: {
      ANCHORLINE_SOURCE_ADMIN_URL: `postgres://${at.user}@${at.host}:${at.port}/${at.database}`,
      ANCHORLINE_SOURCE_ROLE: ROLE,
      ANCHORLINE_SOURCE_SLOT: 'farm',
      ANCHORLINE_SOURCE_PUBLICATION: 'farm',
    },
    file: null,
    readFile: () => '',
  });
  const context = contextOf(config, Date.now());
  const source = openForReading({ ...at }, 20_000);
  try {
    const probes = {
      ...sourceProbes({
        source,
        address: 'here',
        ...context.source,
        scanMs,
        clock: systemClock,
        intervalMs: 10,
      }),
      connectConfig: { target: 'Connect', mend: '', look: () => Promise.reject(new Error('nobody asks it')) },
    } as unknown as Probes;
    const looking = { timeoutMs: 20_000, clock: systemClock, progress: () => undefined };
    return troubles(await examine(probes, checks, context, looking));
  } finally {
    await source.end();
  }
}

const OF_SOURCE = CHECK_IDS.filter(
  (check) => check !== 'clock' && CHECKS[check].judge.needs.every((name) => name.startsWith('source')),
);

describe('a prepared farm', () => {
  it('has nothing wrong but a connector that is not there yet', async () => {
    expect(await look(OF_SOURCE)).toEqual([expect.stringMatching(/^critical slot farm: nobody reads it/)]);
  });

  it('is not written to, however a look would want to', async () => {
    const pool = openForReading({ ...server }, 300);
    await expect(pool.query('CREATE TABLE x (y int)')).rejects.toMatchObject({ code: '25006' });
    await expect(pool.query('SELECT pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
    await pool.end();
  });
});

describe('the slot', () => {
  it('is missing, of another plugin, or of another database', async () => {
    await ill(
      `SELECT pg_drop_replication_slot('farm')`,
      `SELECT pg_create_logical_replication_slot('farm', 'pgoutput', false, false, true)`,
    );
    expect(await look(['slot', 'slot-lag', 'slot-failover'])).toEqual([
      expect.stringMatching(/^critical slot farm: .*no slot/),
    ]);
    await ill(
      `SELECT pg_create_logical_replication_slot('farm', 'test_decoding')`,
      `SELECT pg_drop_replication_slot('farm')`,
    );
    expect(await look(['slot'])).toEqual([expect.stringMatching(/test_decoding/)]);
  });

  it('lags, and its end is in sight once it grows', async () => {
    await admin.query(`CREATE TABLE noise AS SELECT repeat('x', 1000) FROM generate_series(1, 20000)`);
    await admin.query('DROP TABLE noise');
    const [lag] = await lagOf();
    expect(lag?.measured).toMatchObject({ bytesPerSecond: expect.any(Number) });
    expect(Number(lag?.measured['retainedBytes'])).toBeGreaterThan(20_000_000);
    expect(Number(lag?.measured['safeWalBytes'])).toBeGreaterThan(1_000_000_000);
  });

  async function lagOf() {
    const source = openForReading({ ...server }, 20_000);
    const context = contextOf(loadConfig({ env: {}, file: null, readFile: () => '' }).config, 0);
    const named = { ...context.source, slot: 'farm' };
    const probes = sourceProbes({
      source,
      address: '',
      ...named,
      scanMs: 1,
      clock: systemClock,
      intervalMs: 10,
    });
    const looking = { timeoutMs: 20_000, clock: systemClock, progress: () => undefined };
    const findings = await examine(probes as Probes, ['slot-lag'], { ...context, source: named }, looking);
    await source.end();
    return findings;
  }

  it('does not outlive a failover: a standby is there, the slot is not marked', async () => {
    await ill(
      `SELECT pg_create_physical_replication_slot('standby_1')`,
      `SELECT pg_drop_replication_slot('standby_1')`,
    );
    expect(await look(['slot-failover'])).toEqual([
      expect.stringMatching(/^info .*synchronized_standby_slots is empty/),
    ]);
    await ill(
      `SELECT pg_drop_replication_slot('farm')`,
      `SELECT pg_create_logical_replication_slot('farm', 'pgoutput', false, false, true)`,
    );
    await ill(
      `SELECT pg_create_logical_replication_slot('farm', 'pgoutput')`,
      `SELECT pg_drop_replication_slot('farm')`,
    );
    expect(await look(['slot-failover'])).toEqual([
      expect.stringMatching(/^warning .*failover is off, 1 standbys/),
    ]);
  });

  it('has no room beside it', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await ill(
        `SELECT pg_create_physical_replication_slot('${name}')`,
        `SELECT pg_drop_replication_slot('${name}')`,
      );
    }
    expect(await look(['replication-headroom'])).toEqual([
      expect.stringMatching(/^warning max_replication_slots: 6 of 6/),
    ]);
  });
});

describe('another server', () => {
  let other: PostgresServer;
  beforeAll(async () => {
    other = await startPostgres({
      wal_level: 'logical',
      max_slot_wal_keep_size: '1MB',
      min_wal_size: '32MB',
      max_wal_size: '32MB',
    });
  });
  afterAll(() => other?.[Symbol.asyncDispose]());

  it('is no farm, and has lost the slot for a bound too tight', async () => {
    const client = new pg.Client({ ...other });
    await client.connect();
    await client.query(`SELECT pg_create_logical_replication_slot('farm', 'pgoutput')`);
    await client.query(`CREATE TABLE noise AS SELECT repeat('x', 1000) FROM generate_series(1, 60000)`);
    await client.query('SELECT pg_switch_wal()');
    await client.query('CHECKPOINT');
    await client.end();
    expect(
      await look(['slot', 'slot-wal-limit', 'publication', 'publication-tables', 'role'], { at: other }),
    ).toEqual([
      expect.stringMatching(/^critical slot farm: wal_status is lost/),
      expect.stringMatching(/^warning max_slot_wal_keep_size: 1\.0 MB, less than/),
      expect.stringMatching(/^critical publication farm: .*no publication/),
      expect.stringMatching(/^critical database postgres: it has none of the captured tables/),
      expect.stringMatching(/^critical role farm_reader: .*no such role/),
    ]);
  });
});

describe('a server that was never made ready', () => {
  let plain: PostgresServer;
  beforeAll(async () => {
    plain = await startPostgres({ wal_level: 'replica' });
  });
  afterAll(() => plain?.[Symbol.asyncDispose]());

  it('writes nothing that can be captured, and bounds no slot', async () => {
    expect(await look(['wal-level', 'slot-wal-limit', 'heartbeat', 'signal'], { at: plain })).toEqual([
      expect.stringMatching(/^critical wal_level: wal_level is replica/),
      expect.stringMatching(/^warning max_slot_wal_keep_size: unlimited/),
      expect.stringMatching(/^unknown connector/),
      expect.stringMatching(/^critical anchorline\.heartbeat: the table is not there/),
      expect.stringMatching(/^unknown connector/),
      expect.stringMatching(/^warning anchorline\.signal: the table is not there/),
    ]);
  });
});

describe('the publication', () => {
  const TABLES = ['anchorline.heartbeat', 'anchorline.signal', 'public.batch_batch'] as const;

  it('lacks heartbeat, signal and a captured table', async () => {
    for (const table of TABLES) {
      await ill(`ALTER PUBLICATION farm DROP TABLE ${table}`, `ALTER PUBLICATION farm ADD TABLE ${table}`);
    }
    expect(await look(['publication-tables'])).toEqual([
      expect.stringMatching(/^critical .*1 captured tables are not in it: public\.batch_batch$/),
      expect.stringMatching(/^critical .*anchorline\.heartbeat is not in it/),
      expect.stringMatching(/^warning .*anchorline\.signal is not in it/),
    ]);
  });

  it('publishes inserts alone', async () => {
    await ill(
      `ALTER PUBLICATION farm SET (publish = 'insert')`,
      `ALTER PUBLICATION farm SET (publish = 'insert, update, delete')`,
    );
    expect(await look(['publication'])).toEqual([expect.stringMatching(/^critical .*update and delete/)]);
  });

  it('filters rows and columns', async () => {
    await ill(
      'ALTER PUBLICATION farm DROP TABLE batch_growthsample, infrastructure_container',
      'ALTER PUBLICATION farm ADD TABLE batch_growthsample, infrastructure_container',
    );
    await ill(
      `ALTER PUBLICATION farm ADD TABLE batch_growthsample WHERE (id > 7), infrastructure_container (id, hall_id, area_id)`,
      'ALTER PUBLICATION farm DROP TABLE batch_growthsample, infrastructure_container',
    );
    expect(await look(['publication-filters'])).toEqual([
      expect.stringMatching(/^critical public\.batch_growthsample: only rows with \(id > 7\)/),
      expect.stringMatching(/^critical public\.infrastructure_container: name are left out/),
    ]);
  });

  it('remembers tables whose earlier rows nobody asked for', async () => {
    await ill(
      `INSERT INTO anchorline.awaiting_snapshot (publication, table_name) VALUES ('farm', 'public.scenario')`,
      'DELETE FROM anchorline.awaiting_snapshot',
    );
    expect(await look(['publication-tables'])).toEqual([
      expect.stringMatching(/^warning .*public\.scenario/),
    ]);
  });

  it('has a table whose rows are in children', async () => {
    await ill('CREATE TABLE chunk () INHERITS (batch_mortalityevent)', 'DROP TABLE chunk');
    expect(await look(['publication-tables'])).toEqual([
      expect.stringMatching(/^critical public\.batch_mortalityevent: .*1 tables that inherit/),
    ]);
  });
});

describe('the role', () => {
  it('may not log in, nor replicate, and its password is over', async () => {
    await ill(
      `ALTER ROLE ${ROLE} NOLOGIN NOREPLICATION VALID UNTIL '2020-01-01'`,
      `ALTER ROLE ${ROLE} LOGIN REPLICATION VALID UNTIL 'infinity'`,
    );
    expect(await look(['role'])).toEqual([
      expect.stringMatching(/LOGIN/),
      expect.stringMatching(/REPLICATION/),
      expect.stringMatching(/no longer valid/),
    ]);
  });

  it('lacks rights on a table, on the heartbeat and on the signal', async () => {
    await ill(`REVOKE SELECT ON batch_batch FROM ${ROLE}`, `GRANT SELECT ON batch_batch TO ${ROLE}`);
    await ill(
      `REVOKE UPDATE ON anchorline.heartbeat FROM ${ROLE}`,
      `GRANT UPDATE ON anchorline.heartbeat TO ${ROLE}`,
    );
    await ill(
      `REVOKE INSERT ON anchorline.signal FROM ${ROLE}`,
      `GRANT INSERT ON anchorline.signal TO ${ROLE}`,
    );
    expect((await look(['role-rights'])).toSorted()).toEqual([
      expect.stringMatching(/INSERT on table anchorline\.signal$/),
      expect.stringMatching(/SELECT on table public\.batch_batch$/),
      expect.stringMatching(/UPDATE on table anchorline\.heartbeat$/),
    ]);
  });

  it('has too much: write rights, attributes, a membership', async () => {
    await ill(`GRANT UPDATE ON batch_batch TO ${ROLE}`, `REVOKE UPDATE ON batch_batch FROM ${ROLE}`);
    await ill(`ALTER ROLE ${ROLE} CREATEDB`, `ALTER ROLE ${ROLE} NOCREATEDB`);
    await ill(`GRANT pg_monitor TO ${ROLE}`, `REVOKE pg_monitor FROM ${ROLE}`);
    expect(await look(['role-excess'])).toEqual([
      expect.stringMatching(/CREATEDB/),
      expect.stringMatching(/pg_monitor/),
      expect.stringMatching(/UPDATE on table public\.batch_batch/),
    ]);
  });

  it('is a superuser', async () => {
    await ill(`ALTER ROLE ${ROLE} SUPERUSER`, `ALTER ROLE ${ROLE} NOSUPERUSER`);
    expect(await look(['role', 'role-rights', 'role-excess'])).toEqual([
      expect.stringMatching(/^warning role farm_reader: it is a superuser/),
    ]);
  });
});

describe('the tables', () => {
  it('have no key, another one, or the whole row', async () => {
    await ill(
      'ALTER TABLE harvest_harvestlot DROP CONSTRAINT harvest_harvestlot_pkey',
      'ALTER TABLE harvest_harvestlot ADD PRIMARY KEY (id)',
    );
    await ill(
      'ALTER TABLE health_treatment REPLICA IDENTITY NOTHING',
      'ALTER TABLE health_treatment REPLICA IDENTITY DEFAULT',
    );
    await ill(
      'ALTER TABLE batch_batch REPLICA IDENTITY USING INDEX batch_batch_batch_number_key',
      'ALTER TABLE batch_batch REPLICA IDENTITY DEFAULT',
    );
    await ill('ALTER TABLE scenario REPLICA IDENTITY FULL', 'ALTER TABLE scenario REPLICA IDENTITY DEFAULT');
    expect((await look(['keys'])).toSorted()).toEqual([
      expect.stringMatching(/^critical public\.batch_batch: its rows are known by \(batch_number\)/),
      expect.stringMatching(/^critical public\.harvest_harvestlot: it has no primary key/),
      expect.stringMatching(/^critical public\.health_treatment: REPLICA IDENTITY is NOTHING/),
      expect.stringMatching(/^info public\.scenario: REPLICA IDENTITY is FULL/),
    ]);
  });

  it('hold decimals without scale, and with too many places', async () => {
    await ill(
      'ALTER TABLE batch_growthsample ALTER avg_weight_g TYPE numeric',
      'ALTER TABLE batch_growthsample ALTER avg_weight_g TYPE numeric(10,2)',
    );
    await ill(
      'ALTER TABLE inventory_feedingevent ALTER amount_kg TYPE numeric(14,6)',
      'ALTER TABLE inventory_feedingevent ALTER amount_kg TYPE numeric(10,4)',
    );
    expect(await look(['numeric-scale'])).toEqual([
      expect.stringMatching(/^warning public\.batch_growthsample\.avg_weight_g: it is numeric without scale/),
      expect.stringMatching(/^warning public\.inventory_feedingevent\.amount_kg: it is numeric with scale 6/),
    ]);
  });

  it('hold infinite dates', async () => {
    await ill(
      `INSERT INTO batch_lifecyclestage VALUES (1, 1, 'Fry', 1);
       INSERT INTO batch_batch (id, batch_number, species_id, status, start_date, actual_end_date)
       SELECT n, n::text, 1, 'ACTIVE', '2024-01-01', 'infinity' FROM generate_series(1, 150) n;
       INSERT INTO environmental_environmentalparameter VALUES (1, 'temperature');
       INSERT INTO environmental_environmentalreading (parameter_id, reading_time, value) VALUES (1, '-infinity', 1)`,
      `DELETE FROM environmental_environmentalreading; DELETE FROM environmental_environmentalparameter;
       DELETE FROM batch_batch; DELETE FROM batch_lifecyclestage`,
    );
    expect(await look(['infinite-dates'])).toEqual([
      expect.stringMatching(/^warning public\.batch_batch: at least 100 rows/),
      expect.stringMatching(/^warning public\.environmental_environmentalreading: 1 rows/),
    ]);
  });

  it('are too large to be searched in time, which hides none of the others', async () => {
    await ill(
      'ALTER TABLE infrastructure_container RENAME TO kept',
      'ALTER TABLE kept RENAME TO infrastructure_container',
    );
    await ill('ALTER TABLE batch_batch RENAME TO batches', 'ALTER TABLE batches RENAME TO batch_batch');
    // Whoever reads it waits for longer than a search may take.
    await ill(
      `CREATE VIEW batch_batch AS SELECT id, start_date, actual_end_date FROM batches, pg_sleep(2)`,
      'DROP VIEW batch_batch',
    );
    await admin.query(
      `INSERT INTO batches (batch_number, species_id, status, start_date) VALUES ('x', 1, 'ACTIVE', '2024-01-01')`,
    );
    undo.push('DELETE FROM batches');
    expect(await look(['infinite-dates'], { scanMs: 200 })).toEqual([
      expect.stringMatching(/^unknown public\.batch_batch: it was not read to its end/),
    ]);
  });
});

describe('the heartbeat', () => {
  it('is old', async () => {
    await ill(
      `UPDATE anchorline.heartbeat SET beat_at = now() - interval '10 minutes'`,
      `UPDATE anchorline.heartbeat SET beat_at = now()`,
    );
    expect(await look(['heartbeat'])).toContainEqual(
      expect.stringMatching(/^critical anchorline\.heartbeat: the last beat is 10 min old/),
    );
  });
});
