/**
 * Transactions over five tables, written by several at once: whoever reads daily-state sees all of one or nothing. The
 * stays are each fed, weighed, counted, moved and found dead by the same number, anew with every transaction.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { isoToDay } from '../../src/domain/day.ts';
import { dailyStateTopic } from '../../src/domain/topics.ts';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import { decoded, readTopic } from '../support/pipeline-topic.ts';
import type { DailyState } from '../../src/publish/contract-types.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import { Pipeline } from '../support/pipeline.ts';
import { endpointsOf } from '../support/stack-provider.ts';

const STAYS = 12;
const WRITERS = 4;
const TRANSACTIONS = 300;
const DAY = '2024-01-10';
const COUNT = 100_000;
/** As soon as something is due it is computed: what comes a moment later is not waited for by chance. */
const HASTY = {
  ANCHORLINE_RECOMPUTE_TRANSACTION_WAIT_MS: '60000',
  ANCHORLINE_RECOMPUTE_QUIET_MS: '0',
};

let farm: Pipeline;
let writers: pg.Client[] = [];

beforeAll(async () => {
  farm = await Pipeline.open({
    endpoints: endpointsOf(inject('stack')),
    name: 'commits',
    generation: 'newer',
    horizon: '2024-01-15',
    env: HASTY,
  });
  await farm.write(`
    insert into batch_lifecyclestage values (1, 1, 'Parr', 1, 0.01, 500);
    insert into infrastructure_container select i, 'C' || i, 1, null from generate_series(1, ${STAYS + 1}) i;
    insert into batch_batch (id, batch_number, species_id, lifecycle_stage_id, status, start_date)
      select i, 'B' || i, 1, 1, 'ACTIVE', '2024-01-01' from generate_series(1, ${STAYS + 1}) i;
    insert into batch_batchcontainerassignment
      select i, i, i, 1, ${COUNT}, 10, 0, '2024-01-01', null, true from generate_series(1, ${STAYS + 1}) i;
    insert into batch_transferaction select i, 1, i, ${STAYS + 1}, 1, 0, 'COMPLETED', '2024-01-12', 5, 1, 1, 1, '', 'AVERAGE'
      from generate_series(1, ${STAYS}) i;
    insert into batch_growthsample select i, i, '${DAY}', 30, 0.1, 1, 1 from generate_series(1, ${STAYS}) i;
    insert into batch_mortalityevent select i, i, '${DAY}', 1, 'UNKNOWN', i from generate_series(1, ${STAYS}) i;
    insert into inventory_feedingevent select i, i, i, i, '${DAY}', '08:00', 1 from generate_series(1, ${STAYS}) i`);
  for (let i = 1; i <= STAYS; i += 1) await farm.source.query(transaction(i, 1));
  await farm.deploy();
  writers = Array.from({ length: WRITERS }, () => {
    return new pg.Client({ ...farm.endpoints.sourcePg, database: farm.name });
  });
  await Promise.all(writers.map((writer) => writer.connect()));
});

afterAll(async () => {
  await Promise.all(writers.map((writer) => writer.end()));
  await farm?.[Symbol.asyncDispose]();
});

/** Everything about a stay that one row shows, by one number. */
function transaction(stay: number, many: number): string {
  return `begin;
    update batch_batchcontainerassignment set population_count = ${COUNT + many} where id = ${stay};
    update inventory_feedingevent set amount_kg = ${many} where id = ${stay};
    update batch_growthsample set avg_weight_g = ${many / 10} where id = ${stay};
    update batch_transferaction set transferred_count = ${many} where id = ${stay};
    update batch_mortalityevent set count = ${many} where id = ${stay};
    commit`;
}

/** Each writer has stays of its own, so that none waits for another's rows. */
async function writeMany(seed: number): Promise<void> {
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let n = 0; n < TRANSACTIONS / WRITERS; n += 1) {
        const stay = 1 + w + WRITERS * (n % (STAYS / WRITERS));
        await writer.query(transaction(stay, 1 + ((seed + n * 7 + w) % 400)));
        // As people and their programs do: else all comes in at once, and nothing is computed before its end.
        await writer.query('select pg_sleep(0.03)');
      }
    }),
  );
}

/** What was ever published of the day, after the first `skip` records. */
async function published(skip: number): Promise<{ records: number; states: DailyState[] }> {
  const { lab, config } = farm;
  const decoder = createAvroDecoder(config.registry.url);
  const all = await readTopic(lab, dailyStateTopic(config.topics.namespace));
  const states: DailyState[] = [];
  for (const { value } of all) if (value !== null) states.push(await decoded<DailyState>(decoder, value));
  // The last stay is where the fish of all the others go.
  const ofDay = states
    .filter(({ date, assignment_id: stay }) => date === isoToDay(DAY) && stay <= STAYS)
    .sort((a, b) => a.revision - b.revision);
  return { records: ofDay.length, states: ofDay.slice(skip) };
}

/** Rows whose numbers are not of one transaction. */
function halves(states: readonly DailyState[]): string[] {
  return states.flatMap((state) => {
    const {
      assignment_id: stay,
      population,
      feed_kg: feed,
      avg_weight_g: weight,
      mortality_count: deaths,
    } = state;
    const numbers = [population - COUNT, feed, Math.round(weight * 10), deaths];
    return new Set(numbers).size === 1 ? [] : [`stay ${stay}: ${numbers.join(', ')}`];
  });
}

test('rows show halves of transactions where nothing waits for the whole', async () => {
  const process = await farm.start(undefined, { ANCHORLINE_RECOMPUTE_TRANSACTION_WAIT_MS: '0' });
  await farm.settled();
  let found: string[] = [];
  for (let round = 0; round < 5 && found.length === 0; round += 1) {
    await writeMany(round);
    await farm.settled();
    found = halves((await published(0)).states);
  }
  expect(found).not.toEqual([]);
  await process.stop();
});

test('and never where it is waited for', async () => {
  const process = await farm.start();
  await farm.settled();
  const before = (await published(0)).records;
  await writeMany(100);
  await farm.settled();
  const { states } = await published(before);
  expect(halves(states)).toEqual([]);
  // Far from all at once: each stay was shown in states between.
  expect(states.length).toBeGreaterThan(2 * STAYS);
  expect(await problemsOf(farm)).toEqual([]);
  expect(process.messages.filter((message) => message.includes('not whole'))).toEqual([]);
});
