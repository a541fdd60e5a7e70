import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { isoToDay } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import { explainDay } from '../../src/explain/explain.ts';
import type { DayFacts } from '../../src/store/explain.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { sampleFarm } from '../support/csv-facts.ts';
import { reckoned } from '../support/explain-arithmetic.ts';
import { ExplainedFarm } from '../support/explain-input.ts';
import type { Farm } from '../support/farm-arbitrary.ts';
import { settleStore } from '../support/settle-store.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { writeFarm } from '../support/store-facts.ts';

describe.each(BUILDS)('a row explained from the store, %s build', (build) => {
  let place: StorePlace;
  let farm: Farm;
  let memory: ExplainedFarm;
  let store: PgStore;
  let schema: string;
  beforeAll(async () => {
    place = await openBuild(build);
    // The first of the stays, until the fish are in their second containers.
    farm = await sampleFarm(isoToDay('2023-10-01'));
    memory = new ExplainedFarm(farm);
    ({ store, schema } = await place.newStore());
    await writeFarm(store, farm);
    await store.moveHorizon(farm.horizon, 1, 0);
    await settleStore(store, farm.settings);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const explained = (id: Id, date: string, read: DayFacts, whole = false) => {
    const { facts, details } = read;
    const day = isoToDay(date);
    return explainDay({
      assignmentId: id,
      day,
      facts,
      details,
      settings: farm.settings,
      fromFirstDay: whole,
    });
  };

  it.each([
    [41, '2023-03-01'],
    [41, '2023-05-26'],
    [45, '2023-05-26'],
    [45, '2023-06-20'],
    [49, '2023-09-18'],
    [49, '2023-09-19'],
  ])('assignment %i on %s: the same as from memory, and as it is stored', async (id, date) => {
    const day = isoToDay(date);
    const read = await store.dayFacts(id, day, false);
    const told = explained(id, date, read);
    const { steps, ...rest } = explainDay(memory.input(id, day));
    expect(told).toMatchObject(rest);
    const container = steps[0]!.lines[0]!.replace(/(in container \d+)/, `$1 “${read.details.containerName}”`);
    expect(told.steps).toEqual([{ ...steps[0]!, lines: [container] }, ...steps.slice(1)]);
    expect(told.differing).toEqual([]);
    expect(told.row).toMatchObject(reckoned(told));
    expect(read.stored).toMatchObject({ assignmentId: id, date: day, population: told.row.population });
    expect({ waiting: read.waiting, parked: read.parked }).toEqual({ waiting: [], parked: null });
    const whole = await store.dayFacts(id, day, true);
    expect(explained(id, date, whole, true)).toMatchObject({ continues: 'first_day', row: told.row });
  });

  it('says what differs from a row that was altered, and what waits', async () => {
    const day = isoToDay('2023-06-20');
    await place.pool.query(
      `UPDATE ${schema}.daily_state SET population = population + 1 WHERE assignment_id = 45 AND date = '2023-06-20'`,
    );
    const dirt = { assignmentId: 45, from: day, to: day, committedMs: null, decodedMs: 0 };
    await store.ingest((tx) => tx.appendDirt([{ ...dirt, reasons: ['feeding'] }]));
    const read = await store.dayFacts(45, day, false);
    expect(explained(45, '2023-06-20', read).differing).toEqual(['population']);
    expect(read.waiting).toMatchObject([
      { assignmentId: 45, from: day, reasons: ['feeding'], setAside: false },
    ]);
    await settleStore(store, farm.settings);
    expect(explained(45, '2023-06-20', await store.dayFacts(45, day, false)).differing).toEqual([]);
  });

  it('knows that an assignment is unknown, and one retired', async () => {
    const day = isoToDay('2023-06-20');
    const unknown = await store.dayFacts(999, day, false);
    expect(() => explained(999, '2023-06-20', unknown)).toThrow(expect.objectContaining({ code: 'EXP001' }));
    await place.pool.query(`INSERT INTO ${schema}.retired_assignment VALUES (45, 3, '2023-08-27')`);
    const retired = await store.dayFacts(45, day, false);
    expect(() => explained(45, '2023-06-20', retired)).toThrow(expect.objectContaining({ code: 'EXP004' }));
  });
});
