import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reportJson } from '../../src/cli/validation.ts';
import { validateStore } from '../../src/cli/validation-run.ts';
import type { ValidationOptions } from '../../src/cli/validation-run.ts';
import { loadConfig } from '../../src/config/load.ts';
import { MAX_DAY, MIN_DAY, isoToDay } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { CHECK_NAMES, DEFAULT_BANDS } from '../../src/validate/checks.ts';
import type { Report } from '../../src/validate/report.ts';
import { sampleFarm } from '../support/csv-facts.ts';
import type { Farm } from '../support/farm-arbitrary.ts';
import { silent } from '../support/kafka-lab.ts';
import { settleStore } from '../support/settle-store.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { writeFarm } from '../support/store-facts.ts';

const { config } = loadConfig({ env: {}, file: null, readFile: () => '' });

describe.each(BUILDS)('the store validated, %s build', (build) => {
  let place: StorePlace;
  let farm: Farm;
  let store: PgStore;
  let schema: string;
  beforeAll(async () => {
    place = await openBuild(build);
    farm = await sampleFarm(isoToDay('2023-10-01'));
    ({ store, schema } = await place.newStore());
    await writeFarm(store, farm);
    await store.moveHorizon(farm.horizon, 1, 0);
    await dirtyWhole([...farm.facts.get('assignment')!.keys()]);
    await settleStore(store, farm.settings);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const validated = async (options: Partial<ValidationOptions> = {}): Promise<Report> => {
    const all = {
      scope: {},
      since: null,
      deep: false,
      bands: DEFAULT_BANDS,
      limit: 10,
      progress: () => undefined,
    };
    return (await validateStore({ store, config, log: silent }, { ...all, ...options })).report;
  };
  const dirtyWhole = (ids: readonly Id[]): Promise<void> => {
    const whole = { from: MIN_DAY, to: MAX_DAY, reasons: ['operator'], committedMs: null, decodedMs: 0 };
    return store.ingest((tx) => tx.appendDirt(ids.map((assignmentId) => ({ assignmentId, ...whole }))));
  };
  const found = (report: Report): string[] =>
    CHECK_NAMES.flatMap((check) =>
      report.result(check).findings.map(({ assignmentId, days }) => `${check} ${assignmentId} ${days}`),
    );
  const sql = (text: string): Promise<unknown> => place.pool.query(text.replaceAll('$.', `${schema}.`));

  it('finds nothing after recomputes, however deep it looks', async () => {
    const lines: string[] = [];
    const report = await validated({ deep: true, progress: (line) => void lines.push(line) });
    expect(found(report)).toEqual([]);
    expect(report.rows).toBe(903);
    expect(lines).toEqual([`batch 3: 32 of 32 assignments, ${report.rows} rows so far`]);
    const { report: again, context } = await validateStore(
      { store, config, log: silent },
      {
        scope: { assignmentId: 41 },
        since: null,
        deep: true,
        bands: DEFAULT_BANDS,
        limit: 1,
        progress: () => undefined,
      },
    );
    expect(reportJson(again, context, false)).toMatchObject({
      assignments: 1,
      rows: 90,
      context: { horizon: '2023-10-01', parked: 0, anomalies: {} },
    });
  });

  it('finds what was altered by hand, and a recompute mends it', async () => {
    const at = (date: string): string => `WHERE assignment_id = 45 AND date = '${date}'`;
    await sql(`UPDATE $.daily_state SET temp_c = temp_c + 1 ${at('2023-06-10')}`);
    await sql(`UPDATE $.daily_state SET biomass_kg = biomass_kg + 1 ${at('2023-06-12')}`);
    await sql(
      `DELETE FROM $.daily_state WHERE assignment_id = 46 AND date BETWEEN '2023-06-20' AND '2023-06-22'`,
    );
    await sql(`INSERT INTO $.anomaly VALUES (46, NULL, 'R1', 'made_up', '')`);
    const broken = ['columns_disagree 45 1', 'row_missing 46 3'];
    expect(found(await validated()).sort()).toEqual(broken);
    const deep = ['anomalies_differ 46 1', 'differs 45 1', 'differs 45 1'];
    expect(found(await validated({ deep: true })).sort()).toEqual([...broken, ...deep].sort());
    expect(found(await validated({ scope: { assignmentId: 46 } }))).toEqual(['row_missing 46 3']);

    await dirtyWhole([45, 46]);
    const waiting = await validated({ deep: true });
    expect(waiting.isWrong(true)).toBe(false);
    expect(waiting.result('differs')).toMatchObject({ found: 2, waiting: 2 });
    await settleStore(store, farm.settings);
    expect(found(await validated({ deep: true }))).toEqual([]);
  });

  it('finds rows that cannot be read, and those of nobody', async () => {
    const scores = `jsonb_set(confidence_scores, '{weight}', '1.5')`;
    await sql(
      `UPDATE $.daily_state SET confidence_scores = ${scores} WHERE assignment_id = 47 AND date = '2023-06-10'`,
    );
    expect(found(await validated())).toEqual(['confidence_out_of_range 47 1']);
    await sql(`UPDATE $.daily_state SET confidence_scores = jsonb_set(confidence_scores, '{weight}', '0.8')
               WHERE assignment_id = 47 AND date = '2023-06-10'`);
    await sql(`INSERT INTO $.daily_state SELECT (jsonb_populate_record(d, '{"assignment_id": 999}')).*
               FROM $.daily_state d WHERE assignment_id = 47 AND date < '2023-06-10'`);
    const nobodys = ['row_of_nobody 999 1'];
    expect(found(await validated())).toEqual(nobodys);
    expect(found(await validated({ scope: { batchId: 3 } }))).toEqual(nobodys);
    expect(found(await validated({ scope: { assignmentId: 999 }, deep: true }))).toEqual(nobodys);
    expect((await validated({ scope: { assignmentId: 998 } })).assignments).toBe(0);
    await sql('DELETE FROM $.daily_state WHERE assignment_id = 999');
  });

  it('tells who is parked, and dirt that nobody answers', async () => {
    const dirt = { assignmentId: 48, from: 1, to: 2, reasons: ['feeding'], committedMs: null, decodedMs: 0 };
    await store.ingest((tx) => tx.appendDirt([dirt]));
    expect(found(await validated())).toEqual([]);
    await sql(`UPDATE $.dirt SET appended_at = now() - interval '2 hours'`);
    await store.park({ assignmentId: 49, code: 'CMP001', message: 'no', tries: 3, dirt: [] });
    const report = await validated();
    expect(found(report)).toEqual(['parked 49 1', 'stale_dirt 48 1']);
    expect(report.isWrong(false)).toBe(true);
  });
});
