import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { anchorline } from '../support/cli.ts';
import type { Ended } from '../support/cli.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const PLACE = 'farm.public.batch_growthsample/1@4711';

let server: PostgresServer;
let client: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  await run(['migrate']);
  client = new pg.Client({ ...server, password: '' });
  await client.connect();
  await client.query(`
    SET search_path TO anchorline;
    INSERT INTO dead_letter (topic, partition, "offset", timestamp_ms, key, value, code, message, headers)
    SELECT 'farm.public.batch_growthsample', 1, n, 1700000000000, '\\x00', 'no Avro', 'REC001', 'not Avro: ' || n, '{"h": "1"}'
    FROM generate_series(4711, 4713) n;
    INSERT INTO fact_batch (id, start_day) VALUES (3, '2024-01-01');
    INSERT INTO fact_assignment SELECT n, 3, n, NULL, 10, NULL, '2024-01-01', NULL, true FROM generate_series(1, 2) n;
    INSERT INTO anomaly VALUES (1, '2024-01-05', 'R16', 'population_clamped', 'movements and deaths leave -3 fish');
    INSERT INTO dirt (assignment_id, from_day, to_day, reasons, decoded_ms, set_aside)
      VALUES (2, '2024-01-02', '2024-01-09', '{feeding}', 0, true);
    INSERT INTO parked VALUES (2, 'CMP001', 'it cannot be', 3)`);
});
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

/** Neither Kafka nor a registry is there. */
const run = (args: readonly string[]): Promise<Ended> => {
  const url = `postgres://${server.user}@${server.host}:${server.port}/${server.database}`;
  return anchorline(args, {
    ANCHORLINE_STORE_URL: url,
    ANCHORLINE_KAFKA_BROKERS: '127.0.0.1:1',
    ANCHORLINE_REGISTRY_URL: 'http://127.0.0.1:1',
    ANCHORLINE_LOG_LEVEL: 'silent',
  });
};

const json = async <T>(args: readonly string[]): Promise<T> =>
  JSON.parse((await run([...args, '--json'])).stdout) as T;

describe('dead-letters', () => {
  it('lists those selected, and says how many there are', async () => {
    const { stdout, stderr } = await run(['dead-letters', 'list', '--limit', '1', '--code', 'rec001']);
    expect(stdout).toMatch(
      /^farm\.public\.batch_growthsample\/1@4713 {2}\S+Z {2}open +REC001 {2}not Avro: 4713\n$/,
    );
    expect(stderr).toBe('1 of 3 open dead letters shown (REC001 3); --limit shows more\n');
    expect((await run(['dead-letters', 'list', '--table', 'batch_batch'])).stderr).toBe(
      'no open dead letter\n',
    );
    expect(await json(['dead-letters', 'list', '--state', 'all'])).toMatchObject({
      counts: { REC001: 3 },
      letters: [{ offset: '4713' }, {}, { name: 'undecodable', mend: expect.any(String) }],
    });
  });

  it('shows one with what it means, how to mend it, and its bytes where they are no Avro', async () => {
    const { status, stdout } = await run(['dead-letters', 'show', PLACE]);
    expect(status).toBe(0);
    expect(stdout).toContain('REC001 undecodable: not Avro: 4711');
    expect(stdout).toContain('to mend       Look at what writes to the topic.');
    expect(stdout).toContain('header        h: 1');
    expect(stdout).toContain('6e 6f 20 41 76 72 6f');
    const unknown = await run(['dead-letters', 'show', 'farm.public.batch_growthsample/1@1']);
    expect(unknown).toMatchObject({ status: 1, stdout: '' });
    expect((await run(['dead-letters', 'show', 'farm/1'])).status).toBe(2);
  });

  it('drops nothing without a selection, a yes, or a reason, and then what was selected', async () => {
    const drop = (...args: string[]) => run(['dead-letters', 'drop', ...args]);
    expect((await drop('--reason', 'r', '--yes')).stderr).toContain('select letters, or take --all');
    expect((await drop('--at', PLACE, '--yes')).stderr).toContain('--reason');
    expect((await drop('--at', PLACE, '--reason', 'r')).stderr).toContain('say --yes');
    const dry = await drop('--at', PLACE, '--reason', 'r', '--dry-run');
    expect(dry.stdout).toBe('would drop 1 dead letters (REC001 1)\n');
    const done = await drop('--at', PLACE, '--reason', 'never existed', '--by', 'Ada', '--yes');
    expect(done.stdout).toBe('1 dead letters are dropped\n');
    const shown = await run(['dead-letters', 'show', PLACE]);
    expect(shown.stdout).toMatch(/closed +\S+Z, dropped by Ada: never existed/);
    const settled = await json<{ letters: object[] }>(['dead-letters', 'list', '--state', 'settled']);
    expect(settled.letters).toMatchObject([{ at: PLACE, closedBy: 'Ada', closeReason: 'never existed' }]);
    expect((await drop('--at', PLACE, '--reason', 'r', '--yes')).stdout).toBe(
      'no open dead letter is selected\n',
    );
  });

  it('replays what is selected, and says of what is not open why it was not tried', async () => {
    const dry = await run(['dead-letters', 'replay', '--dry-run']);
    expect(dry).toMatchObject({ status: 1, stdout: '0 would be ingested, 2 would be refused again\n' });
    const again = 'farm.public.batch_growthsample/1@4712';
    const tried = await run(['dead-letters', 'replay', '--at', again, '--at', PLACE, '--json']);
    expect(tried.status).toBe(1);
    expect(JSON.parse(tried.stdout)).toEqual({ dryRun: false, ingested: 0, superseded: 0, refused: 1 });
    expect(tried.stderr).toContain(`${PLACE} is settled already`);
    expect(tried.stderr).toContain(`${again} is refused again: REC001 not Avro in the registry`);
    expect((await run(['dead-letters', 'show', again])).stdout).toMatch(/tried again +\d/);
  });
});

describe('retry', () => {
  it('lists what is parked, with the days that wait', async () => {
    const { stdout } = await run(['retry', '--list']);
    expect(stdout).toMatch(
      /^assignment 2 {2}since \S+Z {2}CMP001: it cannot be {2}\(3 tries; 2024-01-02 to 2024-01-09 wait \(feeding\)\)\n$/,
    );
    expect(await json(['retry', '--list', '--code', 'CMP002'])).toEqual({ parked: [] });
  });

  it('frees those selected, and says which were not parked', async () => {
    expect((await run(['retry'])).status).toBe(2);
    expect((await run(['retry', '--all', '--code', 'CMP001'])).status).toBe(2);
    const { status, stdout, stderr } = await run(['retry', '--assignment', '2', '--assignment', '7']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '1 assignments are tried again: 2\n' });
    expect(stderr).toContain('assignment 7 is not parked');
    expect(stderr).toContain('no wake-up was sent');
  });
});

it('recompute makes the days dirty', async () => {
  const args = ['recompute', '--batch', '3', '--from', '2024-01-03'];
  expect((await run(args)).stdout).toBe('2 assignments will be computed again: 1, 2\n');
  const { rows } = await client.query(
    `SELECT assignment_id, from_day::text, to_day::text FROM dirt WHERE reasons = '{operator}' ORDER BY 1`,
  );
  expect(rows).toMatchObject([
    { assignment_id: '1', from_day: '2024-01-03', to_day: '2999-12-31' },
    { assignment_id: '2' },
  ]);
  expect((await run(['recompute', '--batch', '4'])).status).toBe(1);
});

it('anomalies tells them, how many there are, and what each means', async () => {
  const { stdout, stderr } = await run(['anomalies', '--batch', '3']);
  expect(stdout).toContain(
    'assignment 1  2024-01-05  R16 population_clamped: movements and deaths leave -3 fish',
  );
  expect(stdout).toMatch(/population_clamped: 1, of 1 assignments\n {2}it means: More fish left/);
  expect(stderr).toBe('1 of 1 anomalies shown\n');
  expect(await json(['anomalies', '--rule', 'r16'])).toMatchObject({
    counts: [{ code: 'population_clamped', count: 1, mend: expect.any(String) }],
    anomalies: [{ assignmentId: 1, batchId: 3, date: '2024-01-05' }],
  });
  expect((await run(['anomalies', '--since', '2024-01-06'])).stderr).toBe('no anomaly\n');
});

it('anchors list has a form for programs', async () => {
  await client.query(`INSERT INTO fact_manual_anchor VALUES (5, 1, '2024-01-04', 23105000, 'Ada', NULL)`);
  expect(await json(['anchors', 'list', '--assignment', '1'])).toEqual({
    anchors: [{ id: 5, assignmentId: 1, date: '2024-01-04', weightG: 2310.5, author: 'Ada', note: null }],
  });
});

describe('explain', () => {
  it('tells the day, step by step, and whether what is missing waits to be computed', async () => {
    await client.query(`INSERT INTO horizon (date) VALUES ('2024-02-01')`);
    const { status, stdout } = await run(['explain', '1', '2024-01-05']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^assignment 1 of batch 3 on 2024-01-05, computed from its first day/);
    expect(stdout).toMatch(
      /^R22 +manual, an operator’s own entry: 2310\.5 \(5\)|^R12 +the weight stays 2310\.5 g/m,
    );
    expect(stdout).toMatch(/^R16 +10 \+ 0 arrived − 0 left − 0 dead = 10 fish$/m);
    expect(stdout).toMatch(/^R16 +anomaly population_clamped|^population +10$/m);
    expect(stdout).toContain('no row is stored for that day\n2024-01-03 to 2999-12-31 of it: waiting');
    await client.query('DELETE FROM dirt');
    const wrong = await run(['explain', '1', '2024-01-05', '--from-first-day', '--json']);
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('nothing waits') });
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      date: '2024-01-05',
      continues: 'first_day',
      row: { population: 10, carry_weight_g: 2310.5 },
      stored: null,
      equal: false,
      waiting: [],
    });
  });

  it('says why there is nothing to explain', async () => {
    const unknown = await run(['explain', '77', '2024-01-05']);
    expect(unknown).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error EXP001: assignment 77/),
    });
    const before = await run(['explain', '1', '2023-12-31']);
    expect(before.stderr).toMatch(/^error EXP003: .* its first is 2024-01-01/);
    expect((await run(['explain', '1', 'today'])).status).toBe(2);
  });
});

describe('validate', () => {
  it('tells what is wrong and how to mend it, with status 1', async () => {
    const { status, stdout, stderr } = await run(['validate', '--since', '2024-01-30']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^WRONG row_missing \(R1\): 2\n {2}A day of the stay has no row\.\n {2}to mend: /);
    expect(stdout).toMatch(/^ {2}assignment 1 of batch 3, 2024-01-30 to 2024-02-01 \(3 days\): no row$/m);
    expect(stdout).toMatch(/^2 assignments with 0 rows: 16 of 17 checks found nothing$/m);
    expect(stdout).toMatch(
      /^horizon 2024-02-01; 0 assignments wait to be computed, 0 are parked; 2 dead letters are open/m,
    );
    expect(stderr).toBe('batch 3: 2 of 2 assignments, 0 rows so far\n');
  });

  it('has a form for programs, and ends with 0 where what waits may mend it', async () => {
    await run(['recompute', '--batch', '3']);
    const { status, stdout } = await run(['validate', '--assignment', '1', '--deep', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      wrong: false,
      assignments: 1,
      checks: expect.arrayContaining([
        expect.objectContaining({
          check: 'row_missing',
          severity: 'wrong',
          found: 1,
          waiting: 1,
          findings: [expect.objectContaining({ assignmentId: 1, from: '2024-01-01', days: 32 })],
        }),
      ]),
      context: { horizon: '2024-02-01', waiting: { assignments: 2 } },
    });
    expect((await run(['validate', '--batch', '9'])).status).toBe(1);
    expect((await run(['validate', '--jump', 'much'])).status).toBe(2);
  });
});
