/** A farm of 40 batches in the middle of their lives, captured, computed and published: what load is put on. */
import { dayToIso } from '../../../src/domain/day.ts';
import type { StackEndpoints } from '../../../src/stack/config.ts';
import { ALL_ROLES, Pipeline } from '../../../test/support/pipeline.ts';
import type { PipelineProcess } from '../../../test/support/pipeline-process.ts';
import type { Transaction } from '../farm/change.ts';
import { farmTransactions } from '../farm/farm.ts';
import { joined } from '../farm/net-effect.ts';
import { FIRST_DAY, FULL_FARM, scaled } from '../farm/scale.ts';
import { loadSource } from '../farm/source.ts';

/** History enough that every assignment has one, little enough that nobody waits minutes for a snapshot of it. */
const FARM = { ...FULL_FARM, days: 160, staggerDays: 0, readingsPerDay: 1, samplesPerRound: 1 };
const TODAY = FIRST_DAY + 80;
/** The day that probes change: the load writes to today and the day before. */
export const PROBED_DAYS_AGO = 3;
const SETTLED_DAYS = 10;
const SETTLE_MS = 600_000;

/** Everything as an installation has it, for the test pipelines' settings are shorter. */
const DEFAULTS = {
  ANCHORLINE_KAFKA_SESSION_MS: '15000',
  ANCHORLINE_TOPICS_PARTITIONS: '12',
  ANCHORLINE_TOPICS_LARGE_PARTITIONS: '6',
  ANCHORLINE_STORE_POOL_SIZE: '10',
  ANCHORLINE_CONNECT_HEARTBEAT_MS: '10000',
  ANCHORLINE_SWEEP_INTERVAL_MS: '10000',
  ANCHORLINE_SWEEP_OLDER_THAN_MS: '30000',
  ANCHORLINE_RECOMPUTE_LONGEST_WAIT_MS: '5000',
  ANCHORLINE_PUBLISH_LEASE_MS: '10000',
};

/** An assignment whose fish are there today. */
export interface Stay {
  readonly assignmentId: number;
  readonly batchId: number;
  readonly containerId: number;
  /** Of the fish, on the day that probes change; g. */
  readonly weight: number;
}

export interface World {
  readonly farm: Pipeline;
  /** All roles. */
  readonly process: PipelineProcess;
  readonly stays: readonly Stay[];
  /** ISO date. */
  readonly today: string;
}

export interface WorldOptions {
  readonly endpoints: StackEndpoints;
  /** Share of the farm's batches. */
  readonly scale: number;
  /** Settings that differ from the defaults. */
  readonly env: Readonly<Record<string, string>>;
  /** Options of the process's Node. */
  readonly nodeOptions: string;
  readonly say: (line: string) => void;
}

/** Resolves once all that stands is published. */
export async function openWorld(options: WorldOptions, cleanUp: AsyncDisposableStack): Promise<World> {
  const { endpoints, scale, env, nodeOptions, say } = options;
  const today = dayToIso(TODAY);
  const farm = await Pipeline.open({
    endpoints,
    name: 'load',
    generation: 'newer',
    horizon: today,
    env: { ...DEFAULTS, ...env },
  });
  cleanUp.use(farm);
  const history = joined(lived(farmTransactions(scaled(FARM, scale))), 50_000);
  const { changes } = await loadSource(farm.source, history);
  say(`${changes} changes are in the source; deploying`);
  await farm.deploy();
  const process = await farm.start(ALL_ROLES, { NODE_OPTIONS: nodeOptions });
  say('waiting until the snapshot is computed and published');
  await farm.settled(SETTLE_MS);
  const stays = await staysOf(farm, today);
  say(`${stays.length} assignments have fish`);
  return { farm, process, stays, today };
}

async function staysOf(farm: Pipeline, today: string): Promise<Stay[]> {
  const { rows: open } = await farm.source.query<Omit<Stay, 'weight'>>(
    `select id::integer as "assignmentId", batch_id::integer as "batchId", container_id::integer as "containerId"
     from batch_batchcontainerassignment
     where departure_date is null and assignment_date <= date '${today}' - ${SETTLED_DAYS} order by id`,
  );
  const weights = new Map(
    (
      await farm.inStore<{ id: number; weight: number }>(
        `select assignment_id::integer as id, avg_weight_g::float8 as weight
         from daily_state where date = date '${today}' - ${PROBED_DAYS_AGO} and avg_weight_g > 0`,
      )
    ).map(({ id, weight }) => [id, weight]),
  );
  return open.flatMap((stay) => {
    const weight = weights.get(stay.assignmentId);
    return weight === undefined ? [] : [{ ...stay, weight }];
  });
}

function* lived(transactions: Iterable<Transaction>): Generator<Transaction> {
  for (const transaction of transactions) {
    if (transaction.day > TODAY) return;
    yield transaction;
  }
}
