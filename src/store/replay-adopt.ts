/** What a schema made from the topics takes from the live one, because the topics do not hold it; and where it stands. */
import type { Day } from '../domain/day.ts';
import type { PartitionId } from '../domain/ports.ts';
import { numberArray, textArray } from './arrays.ts';
import { dayText } from './days.ts';
import { columnsOf } from './fact-tables.ts';
import { enterState } from './replays.ts';
import { dropStaging } from './staging.ts';
import type { Session } from './session.ts';

export interface Adoption {
  /** The live schema; null: there is none to take anything from. */
  readonly live: string | null;
  /** Taken where the live schema has none. */
  readonly horizon: Day;
  /** Loaded for longer than their topics keep deletes: some may have been compacted away unread. */
  readonly doubtful: readonly PartitionId[];
}

/** In one transaction, after everything is merged: what is left to do then is to compute. */
export async function adopt(session: Session, { live, horizon, doubtful }: Adoption): Promise<void> {
  if (live !== null) await takeOver(session, (table) => `${live}.${table}`);
  await session.run(
    `INSERT INTO ${session.t('horizon')} (date) VALUES ($1::date) ON CONFLICT (one) DO NOTHING`,
    [dayText(horizon)],
  );
  await notePositions(session, doubtful);
  await dropStaging(session);
  await enterState(session, 'computing');
}

async function takeOver(session: Session, from: (table: string) => string): Promise<void> {
  const anchor = columnsOf('manual_anchor').map(({ name }) => name);
  await copy(session, from, 'fact_manual_anchor', anchor);
  await copy(session, from, 'retired_assignment', ['assignment_id', 'batch_id', 'last_date', 'retired_at']);
  await copy(session, from, 'retired_weight', ['assignment_id', 'date', 'carry_weight_g']);
  await copy(session, from, 'assignment_week_retired', ['*']);
  await copy(session, from, 'horizon', ['date', 'moved_at']);
  await session.run(
    `UPDATE ${session.t('snapshot_state')} s SET state = l.state, since = l.since FROM ${from('snapshot_state')} l`,
  );
  await takeOverClosedLetters(session, session.t('dead_letter'), from('dead_letter'));
}

/** An operator has looked at these and closed them; the others are as open as the schema's own records left them. */
export async function takeOverClosedLetters(session: Session, into: string, from: string): Promise<void> {
  await session.run(
    `UPDATE ${into} d
     SET state = l.state, closed_at = l.closed_at, closed_by = l.closed_by, close_reason = l.close_reason,
       tried_at = l.tried_at
     FROM ${from} l
     WHERE l.topic = d.topic AND l.partition = d.partition AND l."offset" = d."offset"
       AND l.state = 'settled' AND d.state = 'open'`,
  );
}

async function copy(
  session: Session,
  from: (table: string) => string,
  table: string,
  columns: readonly string[],
): Promise<void> {
  const names = columns.join(', ');
  const into = names === '*' ? '' : ` (${names})`;
  await session.run(`DELETE FROM ${session.t(table)}`);
  await session.run(`INSERT INTO ${session.t(table)}${into} SELECT ${names} FROM ${from(table)}`);
}

/** Ordinary ingest goes on from the ends that the replay has read to. */
async function notePositions(session: Session, doubtful: readonly PartitionId[]): Promise<void> {
  await session.run(
    `INSERT INTO ${session.t('position')} (topic, partition, next_offset)
     SELECT topic, partition, end_offset FROM ${session.t('replay_partition')}
     ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, moved_at = excluded.moved_at`,
  );
  await session.run(
    `INSERT INTO ${session.t('position_end')} (topic, partition, ended_at, ended_offset, doubt_since)
     SELECT p.topic, p.partition, r.started_at, p.end_offset, CASE WHEN u.topic IS NULL THEN NULL ELSE r.started_at END
     FROM ${session.t('replay')} r, ${session.t('replay_partition')} p
     LEFT JOIN unnest($1::text[], $2::integer[]) u (topic, partition)
       ON u.topic = p.topic AND u.partition = p.partition
     ON CONFLICT (topic, partition) DO UPDATE
     SET ended_at = excluded.ended_at, ended_offset = excluded.ended_offset, doubt_since = excluded.doubt_since`,
    [textArray(doubtful.map(({ topic }) => topic)), numberArray(doubtful.map(({ partition }) => partition))],
  );
}
