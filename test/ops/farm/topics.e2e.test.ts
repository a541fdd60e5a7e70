/** A farm written straight into change topics, and the same farm loaded into a source that nothing captures. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { farmTransactions } from '../../../ops/bench/farm/farm.ts';
import { joined } from '../../../ops/bench/farm/net-effect.ts';
import { lastDayOf } from '../../../ops/bench/farm/scale.ts';
import { loadSource } from '../../../ops/bench/farm/source.ts';
import { writeTopics } from '../../../ops/bench/farm/topic-writer.ts';
import { dayToIso } from '../../../src/domain/day.ts';
import { registryOf } from '../../../src/wiring-access.ts';
import { kafkaConnectionOf, topicSettingsOf } from '../../../src/wiring.ts';
import { silent } from '../../support/kafka-lab.ts';
import { problemsOf } from '../../support/pipeline-check.ts';
import { eventually } from '../../support/pipeline-wait.ts';
import { inFlight } from '../../support/pipeline-work.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { SMALL_FARM } from '../../support/small-farm.ts';
import { endpointsOf } from '../../support/stack-provider.ts';

const SCALE = { ...SMALL_FARM, batches: 2, days: 120 };
const LIMIT_MS = 120_000;

let farm: Pipeline;

beforeAll(async () => {
  const horizon = dayToIso(lastDayOf(SCALE));
  farm = await Pipeline.open({
    endpoints: endpointsOf(inject('stack')),
    name: 'made',
    generation: 'newer',
    horizon,
  });
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
});

test('the pipeline makes of the topics what one pass over the source’s rows gives', async () => {
  expect(await farm.cli(['migrate'])).toMatchObject({ status: 0 });
  const loaded = await loadSource(farm.source, joined(farmTransactions(SCALE), 2_000));
  const writing = {
    connection: kafkaConnectionOf(farm.config),
    registry: registryOf(farm.config),
    topics: topicSettingsOf(farm.config),
    scale: SCALE,
    log: silent,
    startMs: Date.now(),
  };
  const records = await writeTopics(writing);
  // Tombstones come on top.
  expect(records).toBeGreaterThan(loaded.changes);
  await expect(writeTopics(writing)).rejects.toThrow('has records already');

  await farm.start();
  await eventually('all is published', LIMIT_MS, async () => {
    // In this order: each is made from what the one before leaves.
    for (const work of ['lag', 'dirt', 'publications'] as const) if (await inFlight(farm, work)) return false;
    return true;
  });
  expect(await problemsOf(farm)).toEqual([]);
  const [rows] = await farm.inStore<{ rows: number; anomalies: number }>(
    `select (select count(*)::int from daily_state) as rows, (select count(*)::int from anomaly) as anomalies`,
  );
  expect(rows?.rows).toBeGreaterThan(500);
  expect(rows?.anomalies).toBe(0);
});

test('what the farm’s own system adds afterwards finds ids that are free', async () => {
  const { rows } = await farm.source.query<{ newest: boolean }>(
    `insert into batch_mortalityevent (batch_id, event_date, count, cause) values (1, '2022-03-05', 1, 'UNKNOWN')
     returning id > (select max(id) from batch_mortalityevent) as newest`,
  );
  expect(rows).toEqual([{ newest: true }]);
});
