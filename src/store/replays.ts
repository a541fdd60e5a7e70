/** The life of a schema that a replay makes: reserved, loading, merging, computing, ready; found again, and dropped. */
import type { Pool } from 'pg';

import type { PartitionId } from '../domain/ports.ts';
import type { ReplayState } from '../domain/replay.ts';
import { numberArray, textArray } from './arrays.ts';
import { emptyFacts } from './merge.ts';
import { createStaging } from './staging.ts';
import { Session } from './session.ts';
import type { Names } from './session.ts';
import { READ_COMMITTED, connect, inSession, inTransaction } from './transaction.ts';

export interface ReplayPartition extends PartitionId {
  readonly from: bigint;
  readonly end: bigint;
  readonly staged: bigint;
  readonly records: number;
}

export interface Replay {
  readonly schema: string;
  readonly state: ReplayState;
  /** What its last run failed for. */
  readonly why: string | null;
  readonly startedMs: number;
  readonly sinceMs: number;
  /** Offsets and records, of all partitions. */
  readonly read: number;
  readonly toRead: number;
  readonly records: number;
}

/** What a name stands for. `begun`: reserved by a replay that died before it had noted what to read. */
export type Found = Replay | 'nothing' | 'begun' | 'foreign';

/** A schema bears it from its first moment until the replay's row is there. */
const RESERVED = 'anchorline: being made by a replay';

export async function findReplay(pool: Pool, names: Names): Promise<Found> {
  return inSession(pool, names, async (session) => {
    const row = await session.first<[string | null, boolean]>(
      `SELECT obj_description(n.oid, 'pg_namespace'),
         EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'replay' AND c.relkind = 'r')
       FROM pg_namespace n WHERE n.nspname = $1`,
      [names.schema],
    );
    if (row === undefined) return 'nothing';
    const [comment, hasTable] = row;
    const replay = hasTable ? await readReplay(session) : null;
    return replay ?? (comment === RESERVED ? 'begun' : 'foreign');
  });
}

/** By name. */
export async function listReplays(pool: Pool, shared: string): Promise<readonly Replay[]> {
  const schemas = await inSession(pool, { schema: shared, shared }, (session) =>
    session.rows<[string]>(
      `SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relname = 'replay_partition' AND c.relkind = 'r' AND has_schema_privilege(n.oid, 'USAGE')
         AND EXISTS (SELECT FROM pg_class b WHERE b.relnamespace = n.oid AND b.relname = 'build')
       ORDER BY 1`,
    ),
  );
  const replays: Replay[] = [];
  for (const [schema] of schemas) {
    const replay = await inSession(pool, { schema, shared }, readReplay);
    if (replay !== null) replays.push(replay);
  }
  return replays;
}

async function readReplay(session: Session): Promise<Replay | null> {
  const row = await session.first<[ReplayState, string | null, number, number, number, number, number]>(
    `SELECT r.state, r.why, ${ms('r.started_at')}, ${ms('r.since')}, p.read, p.to_read, p.records
     FROM ${session.t('replay')} r, (
       SELECT coalesce(sum(staged_to - from_offset), 0)::bigint AS read,
         coalesce(sum(end_offset - from_offset), 0)::bigint AS to_read, coalesce(sum(records), 0)::bigint AS records
       FROM ${session.t('replay_partition')}
     ) p`,
  );
  if (row === undefined) return null;
  const [state, why, startedMs, sinceMs, read, toRead, records] = row;
  return { schema: session.names.schema, state, why, startedMs, sinceMs, read, toRead, records };
}

function ms(column: string): string {
  return `floor(extract(epoch FROM ${column}) * 1000)::bigint`;
}

/** Makes the schema, empty and marked: it is to be migrated next. */
export async function reserveSchema(pool: Pool, names: Names): Promise<void> {
  await inTransaction(pool, names, READ_COMMITTED, async (session) => {
    await session.run(`CREATE SCHEMA ${names.schema}`);
    await session.run(`COMMENT ON SCHEMA ${names.schema} IS '${RESERVED}'`);
  });
}

/** From here on the schema is a replay's, which reads exactly this. */
export async function beginReplay(
  session: Session,
  ranges: readonly (PartitionId & { readonly from: bigint; readonly to: bigint })[],
): Promise<void> {
  await session.run(
    `INSERT INTO ${session.t('replay_partition')} (topic, partition, from_offset, end_offset, staged_to)
     SELECT u.topic, u.partition, u.from_offset, u.end_offset, u.from_offset
     FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) u (topic, partition, from_offset, end_offset)`,
    [
      textArray(ranges.map(({ topic }) => topic)),
      numberArray(ranges.map(({ partition }) => partition)),
      numberArray(ranges.map(({ from }) => from)),
      numberArray(ranges.map(({ to }) => to)),
    ],
  );
  await session.run(`INSERT INTO ${session.t('replay')} DEFAULT VALUES`);
  await createStaging(session);
  await session.run(`COMMENT ON SCHEMA ${session.names.schema} IS NULL`);
}

/** Whatever was loaded is worth nothing: a crash of the server took some of it. */
export async function beginAgain(session: Session): Promise<void> {
  await emptyFacts(session);
  await createStaging(session);
  await session.run(`UPDATE ${session.t('replay_partition')} SET staged_to = from_offset, records = 0`);
  await enterState(session, 'loading');
}

export async function enterState(session: Session, state: ReplayState): Promise<void> {
  await session.run(`UPDATE ${session.t('replay')} SET state = $1, why = NULL, since = clock_timestamp()`, [
    state,
  ]);
}

/** null: it is being gone on with. */
export async function noteFailure(session: Session, why: string | null): Promise<void> {
  await session.run(`UPDATE ${session.t('replay')} SET why = $1`, [why]);
}

export async function replayPartitions(session: Session): Promise<readonly ReplayPartition[]> {
  const rows = await session.rows<[string, number, string, string, string, number]>(
    `SELECT topic, partition, from_offset::text, end_offset::text, staged_to::text, records
     FROM ${session.t('replay_partition')} ORDER BY topic, partition`,
  );
  return rows.map(([topic, partition, from, end, staged, records]) => ({
    topic,
    partition,
    from: BigInt(from),
    end: BigInt(end),
    staged: BigInt(staged),
    records,
  }));
}

export async function dropSchema(session: Session): Promise<void> {
  await session.run(`DROP SCHEMA ${session.names.schema} CASCADE`);
}

/** Holds the replay's own lock for as long as `work` takes. Throws `otherwise` where another process has it. */
export async function underLock<T>(
  pool: Pool,
  names: Names,
  otherwise: Error,
  work: () => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  try {
    const session = new Session(client, names);
    const row = await session.first<[boolean]>('SELECT pg_try_advisory_lock(hashtextextended($1, 0))', [
      `anchorline:${names.schema}:replay`,
    ]);
    if (row?.[0] !== true) throw otherwise;
    return await work();
  } finally {
    // Never back into the pool: the lock ends with the connection.
    client.release(true);
  }
}
