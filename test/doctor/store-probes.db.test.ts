/** A state store made ill on both builds, and what the doctor's looks at it find with the rights of a process. */
import pg from 'pg';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { contextOf } from '../../src/compose/doctor.ts';
import { loadConfig } from '../../src/config/load.ts';
import { CHECKS, CHECK_IDS } from '../../src/doctor/checks.ts';
import type { CheckId } from '../../src/doctor/checks.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Probes } from '../../src/doctor/probe.ts';
import { storeProbes } from '../../src/doctor/probe/store.ts';
import type { Finding } from '../../src/doctor/judge/finding.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { REJECTIONS } from '../../src/domain/cdc.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { troubles } from '../support/doctor-evidence.ts';
import { BUILDS, SHARED, TEST_ROLES, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';

const OF_STORE = CHECK_IDS.filter(
  (check) => check !== 'clock' && CHECKS[check].judge.needs.every((name) => name.startsWith('store')),
);
const DAY = '2024-03-01';

describe.each(BUILDS)('a state store, %s build', (build) => {
  let place: StorePlace;
  let store: PgStore;
  let schema = '';
  /** What brings a shared server back after a test. */
  const undo: string[] = [];

  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    ({ store, schema } = await place.newStore());
    await store.checkSettings();
    await store.moveHorizon(isoToDay(DAY), 14, Date.now());
    for (const name of ['publish-0', 'scheduler', 'supervisor'])
      await store.acquireLease(name, 'p1', 600_000);
  });
  afterEach(async () => {
    for (const statement of undo.splice(0).reverse()) await place.pool.query(statement);
  });

  interface Given {
    readonly pool?: Pool;
    readonly schema?: string;
    readonly timeZone?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly intervalMs?: number;
  }

  async function examined(checks: readonly CheckId[], given: Given = {}): Promise<readonly Finding[]> {
    const env = {
      ANCHORLINE_STORE_SCHEMA: given.schema ?? schema,
      ANCHORLINE_SCHEDULER_HORIZON: DAY,
      ...given.env,
    };
    const context = contextOf(loadConfig({ env, file: null, readFile: () => '' }).config, Date.now());
    const probes = storeProbes({
      pool: given.pool ?? place.as('runtime'),
      names: { schema: context.store.schema, shared: SHARED },
      address: 'here',
      isLocal: true,
      settings: { ...DEFAULT_ENGINE_SETTINGS, timeZone: given.timeZone ?? DEFAULT_ENGINE_SETTINGS.timeZone },
      snapshotLimitMs: 2_000,
      clock: systemClock,
      intervalMs: given.intervalMs ?? 1,
    });
    const looking = { timeoutMs: 30_000, clock: systemClock, progress: () => undefined };
    const named = { ...context, store: { ...context.store, shared: SHARED } };
    return examine(probes as unknown as Probes, checks, named, looking);
  }
  const look = async (checks: readonly CheckId[], given?: Given) => troubles(await examined(checks, given));

  const admin = (sql: string, back?: string): Promise<unknown> => {
    if (back !== undefined) undo.push(back);
    return place.pool.query(sql);
  };

  it('that is well, is well with the rights of a process, but for what these do not show', async () => {
    const hidden = expect.stringMatching(/^info transactions: \d+ sessions of other roles cannot be seen/);
    const disk = expect.stringMatching(/^unknown the state store’s disk: .*growing by/);
    // The WASM build is one session: there are no others.
    expect(await look(OF_STORE)).toEqual(build === 'plain' ? [disk, hidden] : [disk]);
  });

  it('shows room on its disk to who may see where it lies', async () => {
    const [disk] = await examined(['store-disk'], { pool: place.pool });
    if (build === 'timescale') expect(disk?.severity).toBe('unknown');
    else
      expect(disk?.measured).toMatchObject({ freeBytes: expect.any(Number), totalBytes: expect.any(Number) });
    const set = { ANCHORLINE_DOCTOR_STORE_DISK_GB: '1000' };
    expect(await look(['store-disk'], { env: set })).toEqual([]);
    expect(
      await look(['store-disk'], {
        env: { ANCHORLINE_DOCTOR_STORE_DISK_GB: '1000', ANCHORLINE_DOCTOR_FREE_PERCENT: '90' },
      }),
    ).toEqual([]);
  });

  it('that is not there is critical, and all else of it unknown', async () => {
    const found = await look(['store-migrations', 'store-settings', 'dirt', 'horizon', 'leases'], {
      schema: 'nowhere',
    });
    expect(found).toEqual([
      expect.stringMatching(/^critical schema nowhere: it is not there/),
      expect.stringMatching(/^unknown dirt/),
      expect.stringMatching(/^unknown horizon/),
      expect.stringMatching(/^unknown leases/),
    ]);
  });

  it('lacks a migration, and was computed with other settings', async () => {
    await admin(`DELETE FROM ${schema}.migration WHERE name = '1007_dead_letter_keys'`);
    expect(await look(['store-migrations', 'store-settings'], { timeZone: 'Europe/Oslo' })).toEqual([
      expect.stringMatching(/^critical .*1007_dead_letter_keys/),
      expect.stringMatching(/^critical .*timeZone is .* there and "Europe\/Oslo" here/),
    ]);
  });

  it('has old dirt, and old rows to be published', async () => {
    await admin(
      `INSERT INTO ${schema}.dirt (assignment_id, from_day, to_day, reasons, decoded_ms, appended_at)
       VALUES (7, '2024-01-01', '2024-02-01', '{x}', 0, now() - interval '2 hours')`,
    );
    await admin(
      `INSERT INTO ${schema}.publication_log (assignment_id, revision, days, appended_at)
       VALUES (7, 1, '{2024-01-01}', now() - interval '10 minutes')`,
    );
    expect(await look(['dirt', 'publication-backlog'])).toEqual([
      expect.stringMatching(/^critical dirt: 1 assignments wait, the oldest for 2 h; 1 wait/),
      expect.stringMatching(/^warning publication log: 1 entries wait, the oldest for 10 min/),
    ]);
    // While a snapshot streams in that is as it should be.
    await store.ingest((tx) => tx.noteSnapshot('running'));
    expect(await look(['dirt'])).toEqual([expect.stringMatching(/^info dirt/)]);
  });

  it('has a parked assignment, and dead letters', async () => {
    await store.park({ assignmentId: 9, code: 'CMP001', message: 'out of luck', tries: 3, dirt: [] });
    const record = {
      topic: 'farm.public.batch_batch',
      partition: 0,
      timestampMs: 0,
      key: Buffer.from('k'),
      value: null,
    };
    await store.ingest((tx) =>
      tx.keepDeadLetters(
        [1n, 2n].map((offset) => ({
          record: { ...record, offset, key: Buffer.from(String(offset)) },
          rejection: { code: REJECTIONS.undecodable, message: 'cut short' },
        })),
      ),
    );
    expect(await look(['parked', 'dead-letters'])).toEqual([
      expect.stringMatching(/^warning parked assignments: 1, .*9 \(CMP001: out of luck\)/),
      expect.stringMatching(/^warning dead letters: 2 are open: 2 × REC001, e\.g\. cut short/),
    ]);
  });

  it('has nobody who leads, and a horizon that stands', async () => {
    await admin(
      `UPDATE ${schema}.lease SET expires_at = now() - interval '1 minute' WHERE name <> 'supervisor'`,
    );
    await admin(`DELETE FROM ${schema}.lease WHERE name = 'supervisor'`);
    expect(
      await look(['horizon', 'leases'], { env: { ANCHORLINE_SCHEDULER_HORIZON: '2024-03-02' } }),
    ).toEqual([
      expect.stringMatching(/^warning horizon: 2024-03-01, 1 days behind 2024-03-02/),
      expect.stringMatching(/^critical lease publish-0: .*60 s ago/),
      expect.stringMatching(/^warning lease scheduler/),
      expect.stringMatching(/^warning lease supervisor: nobody/),
    ]);
    await admin(`DELETE FROM ${schema}.horizon`);
    expect(await look(['horizon'])).toEqual([expect.stringMatching(/^critical horizon: it was never set/)]);
  });

  it('has a resnapshot that is held', async () => {
    await admin(`INSERT INTO ${schema}.resnapshot (id, dry, recapture) VALUES ('r1', false, false)`);
    await admin(
      `INSERT INTO ${schema}.resnapshot_table (run, table_name, state, note) VALUES ('r1', 'batch_batch', 'held', 'too many')`,
    );
    expect(await look(['resnapshot'])).toEqual([
      expect.stringMatching(/^warning resnapshot: 1 tables are held: batch_batch \(too many\)/),
    ]);
  });

  it('has a role that lacks a right, one with a right too many, and a superuser', async () => {
    const { runtime } = TEST_ROLES;
    await admin(`REVOKE DELETE ON ${schema}.dirt FROM ${runtime}`);
    await admin(`GRANT TRUNCATE ON ${schema}.dirt TO ${runtime}`);
    const found = await look(['store-role']);
    expect(found).toContainEqual(
      expect.stringMatching(/^critical role store_runtime: it lacks DELETE on table \w+\.dirt$/),
    );
    expect(found).toContainEqual(
      expect.stringMatching(/^warning role store_runtime: it has .*TRUNCATE on table \w+\.dirt/),
    );
    expect(await look(['store-role'], { pool: place.pool })).toEqual([
      expect.stringMatching(/^warning role postgres: .*superuser/),
    ]);
  });

  it('does not clear a table of its dead rows', async () => {
    await admin(`ALTER TABLE ${schema}.publication_log SET (autovacuum_enabled = false)`);
    expect(await look(['store-vacuum'])).toEqual([
      expect.stringMatching(/^warning \w+\.publication_log: autovacuum is off/),
    ]);
  });

  if (build === 'timescale')
    it('has a job that fails, one that nobody runs, and lacks a policy', async () => {
      const { rows } = await place.pool.query<{ id: number; procedure: string; relation: string }>(
        `SELECT job_id AS id, proc_name AS procedure, hypertable_name AS relation
       FROM timescaledb_information.jobs WHERE hypertable_schema = $1`,
        [schema],
      );
      const idOf = (relation: string) => rows.find((row) => row.relation === relation)?.id ?? 0;
      const stat = `INSERT INTO _timescaledb_internal.bgw_job_stat (job_id, last_start, last_finish, next_start,
      last_successful_finish, last_run_success, total_runs, total_duration, total_duration_failures, total_successes,
      total_failures, total_crashes, consecutive_failures, consecutive_crashes, flags) VALUES`;
      await admin(
        `${stat} (${idOf('daily_state')}, now(), now(), now() + interval '1 hour', '-infinity', false, 3, '1s', '1s', 0, 3, 0, 3, 0, 0)`,
      );
      await admin(
        `${stat} (${idOf('reading')}, now(), now(), now() - interval '1 day', now(), true, 3, '1s', '1s', 3, 0, 0, 0, 0, 0)`,
      );
      await admin(
        `INSERT INTO _timescaledb_internal.bgw_job_stat_history (job_id, pid, execution_start, execution_finish, succeeded, data)
       VALUES (${idOf('daily_state')}, 1, now(), now(), false, '{"error_data": {"message": "out of luck", "sqlerrcode": "22012"}}')`,
      );
      expect(await look(['timescale-jobs'], { pool: place.pool })).toEqual([
        expect.stringMatching(
          /^critical job \d+, policy_compression of daily_state: its last run failed, 3 of 3 did, it never succeeded: out of luck/,
        ),
        expect.stringMatching(/^warning job \d+, policy_compression of reading: it should have run 24 h ago/),
      ]);
      await admin(`SELECT public.remove_continuous_aggregate_policy('${schema}.assignment_week_live')`);
      expect(await look(['timescale-policies'])).toEqual([
        expect.stringMatching(/^warning \w+\.assignment_week_live: it has no policy_refresh/),
      ]);
    });

  if (build === 'plain')
    it('has a transaction that is left open, and few connections', async () => {
      const client = new pg.Client(endpoint());
      await client.connect();
      try {
        await client.query('BEGIN; SELECT 1');
        const env = { ANCHORLINE_DOCTOR_TRANSACTION_MS: '100', ANCHORLINE_DOCTOR_FREE_CONNECTIONS: '1000' };
        await expect
          .poll(() => look(['store-connections', 'store-transactions'], { env, pool: place.pool }))
          .toEqual([
            expect.stringMatching(/^warning connections: \d+ of 97 are free/),
            expect.stringMatching(
              /^(warning|critical) transaction of a program without name, pid \d+: open for .* idle in transaction/,
            ),
          ]);
      } finally {
        await client.end();
      }
    });

  if (build === 'plain')
    it('is read-only', async () => {
      await admin(
        'ALTER DATABASE postgres SET default_transaction_read_only = on',
        'SET default_transaction_read_only = off; ALTER DATABASE postgres RESET default_transaction_read_only',
      );
      const pool = new pg.Pool(endpoint());
      expect(await look(['store-version'], { pool })).toEqual([
        expect.stringMatching(/^critical .*read-only/),
      ]);
      await pool.end();
    });

  function endpoint(): pg.ClientConfig {
    const { host = '', port = 0, user = '', database = '' } = place.pool.options;
    return { host, port, user, database };
  }
});
