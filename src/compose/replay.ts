/** Replays as an operator gives, lists and drops them. */
import type { Pool } from 'pg';
import type { Config } from '../config/load.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { changeTopics } from '../domain/topics.ts';
import { createKafka } from '../kafka/client.ts';
import { WatermarkSource } from '../kafka/watermarks.ts';
import { REPLAY_ERRORS, ReplayError } from '../replay/errors.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Logger } from '../runtime/logger.ts';
import { retry } from '../runtime/retry.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { migrate, missingMigrations, readBuild } from '../store/migrate.ts';
import { SHARED_SCHEMA } from '../store/pg-store.ts';
import {
  beginReplay,
  dropSchema,
  findReplay,
  listReplays,
  noteFailure,
  reserveSchema,
  underLock,
} from '../store/replays.ts';
import type { Replay } from '../store/replays.ts';
import type { Build, Names } from '../store/session.ts';
import { checkSettings } from '../store/settings.ts';
import { READ_COMMITTED, inSession, inTransaction } from '../store/transaction.ts';
import { engineSettingsOf, kafkaConnectionOf } from '../wiring.ts';
import { isOutage } from './outage.ts';
import { isStale, runStages } from './replay-run.ts';
import type { ReplayTally } from './replay-run.ts';
import { poolOf } from './store.ts';

export interface ReplayOptions {
  readonly config: Config;
  readonly log: Logger;
  /** The schema to make. */
  readonly name: string;
  /** A line for whoever waits. */
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** One for the lock, one for what is asked in between, the others merge. */
const CONNECTIONS = 10;

/** Begins the replay of that name, or goes on with it. Throws what no waiting mends. */
export async function replayAs(options: ReplayOptions): Promise<ReplayTally> {
  const { log, name, progress } = options;
  const signal = options.signal ?? new AbortController().signal;
  const names = namesOf(options.config, name);
  const config: Config = { ...options.config, store: { ...options.config.store, schema: name } };
  const pool = poolOf(config, log, CONNECTIONS);
  const logs = new WatermarkSource(() => createKafka(kafkaConnectionOf(config), log).admin());
  const tally: ReplayTally = {
    records: 0,
    letters: 0,
    rows: 0,
    parked: [],
    tookMs: { loading: 0, merging: 0, computing: 0 },
  };
  try {
    await underLock(pool, names, atWork(name), async () => {
      const live = await liveSchema(pool, options.config.store.schema);
      const build = await begin({ ...options, config }, pool, names, logs);
      const parts = { config, log, pool, names, build, live, logs, progress, signal };
      try {
        await retry(() => runStages(parts, tally), {
          what: `the replay ${name}`,
          clock: systemClock,
          log,
          signal,
          retryable: (error) => mayHeal(error) || isStale(error),
        });
      } catch (error) {
        // Where even that cannot be written, whoever goes on will meet the reason again.
        await inSession(pool, names, (session) => noteFailure(session, describeError(error))).catch(
          () => undefined,
        );
        throw error;
      }
    });
    return tally;
  } finally {
    await Promise.all([pool.end(), logs.close()]);
  }
}

/** A right that is missing is waited for by nobody who gives a command. */
function mayHeal(error: unknown): boolean {
  return (
    isOutage(error) &&
    !(error instanceof ConfigurationError) &&
    (error as { code?: string }).code !== 'STO006'
  );
}

export async function replays({
  config,
  log,
}: Pick<ReplayOptions, 'config' | 'log'>): Promise<readonly Replay[]> {
  const pool = poolOf(config, log, 1, config.store.statementMs);
  try {
    return await listReplays(pool, SHARED_SCHEMA);
  } finally {
    await pool.end();
  }
}

/** Drops the schema of a replay, be it ready or not; `confirm` is asked once it is clear what it is. */
export async function dropReplay(
  { config, log, name }: Pick<ReplayOptions, 'config' | 'log' | 'name'>,
  confirm: (found: Replay | 'begun') => Promise<boolean>,
): Promise<boolean> {
  const names = namesOf(config, name);
  const pool = poolOf(config, log, 2);
  try {
    return await underLock(pool, names, atWork(name), async () => {
      const found = await findReplay(pool, names);
      if (found === 'nothing') throw new ReplayError(REPLAY_ERRORS.unknown, `there is no schema ${name}`);
      if (found === 'foreign') throw foreign(name);
      if (!(await confirm(found))) return false;
      await inTransaction(pool, names, READ_COMMITTED, dropSchema);
      return true;
    });
  } finally {
    await pool.end();
  }
}

function namesOf({ store }: Config, name: string): Names {
  if (name !== store.schema && name !== SHARED_SCHEMA) return { schema: name, shared: SHARED_SCHEMA };
  throw new ReplayError(
    REPLAY_ERRORS.isLive,
    `${name} is ${name === store.schema ? 'the live schema (store.schema)' : 'shared by all schemas'}: take another name`,
  );
}

function foreign(name: string): ReplayError {
  return new ReplayError(
    REPLAY_ERRORS.foreign,
    `schema ${name} was not made by a replay: it is left alone, take another name`,
  );
}

function atWork(name: string): ReplayError {
  return new ReplayError(
    REPLAY_ERRORS.atWork,
    `another process is at work on the replay ${name}: wait for it, or end it`,
  );
}

/** Throws ConfigurationError STO005 where it is an older form: what it has could not be taken over. */
async function liveSchema(pool: Pool, schema: string): Promise<string | null> {
  const names = { schema, shared: SHARED_SCHEMA };
  return inSession(pool, names, async ({ client }) => {
    const build = await readBuild(client, names);
    if (build === null) return null;
    const behind = await missingMigrations(client, names, build);
    if (behind.length === 0) return schema;
    throw new ConfigurationError(
      'STO005',
      `schema ${schema} lacks ${behind.join(', ')}: run \`anchorline migrate\` first`,
    );
  });
}

async function begin(
  { config, log, name, progress }: ReplayOptions,
  pool: Pool,
  names: Names,
  logs: WatermarkSource,
): Promise<Build> {
  const found = await findReplay(pool, names);
  if (found === 'foreign') throw foreign(name);
  if (found === 'nothing') await reserveSchema(pool, names);
  const { timescale, runtimeRole, readerRole } = config.store;
  const { build } = await migrate(pool, names, {
    log: (message) => log.debug(message),
    timescale,
    roles: { runtime: runtimeRole, reader: readerRole },
  });
  const settings = engineSettingsOf(config);
  if (typeof found === 'object') {
    progress(`replay ${name} is ${found.state}: this goes on with it`);
    await inSession(pool, names, (session) => checkSettings(session, settings));
    await inSession(pool, names, (session) => noteFailure(session, null));
    return build;
  }
  const bounds = await logs.bounds(changeTopics(config.topics.prefix));
  const ranges = bounds.map(({ topic, partition, low, end }) => ({ topic, partition, from: low, to: end }));
  await inTransaction(pool, names, READ_COMMITTED, async (session) => {
    await checkSettings(session, settings);
    await beginReplay(session, ranges);
  });
  return build;
}
