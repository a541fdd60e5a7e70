/**
 * What is measured every few seconds, by every process: nothing here reads more than what waits. What costs more is in
 * status.ts, for a person who asks.
 */
import type { Day } from '../domain/day.ts';
import type { Session } from './session.ts';

export interface StoreGauges {
  readonly horizon: Day | null;
  /** As `snapshotRunning` has it: one whose last record is long past is over. */
  readonly snapshotRunning: boolean;
  /** Without what is set aside. Ages in ms by the store's clock; null: nothing waits. */
  readonly dirt: { readonly assignments: number; readonly oldestMs: number | null };
  readonly parked: number;
  readonly publications: { readonly entries: number; readonly oldestMs: number | null };
  readonly deadLettersOpen: number;
}

type Row = readonly [Day | null, boolean, number, number | null, number, number, number | null, number];

export async function readGauges(session: Session, snapshotLimitMs: number): Promise<StoreGauges> {
  const dirt = session.t('dirt');
  const log = session.t('publication_log');
  const row = await session.first<Row>(
    `WITH RECURSIVE dirty AS (
       (SELECT assignment_id FROM ${dirt} WHERE NOT set_aside ORDER BY assignment_id LIMIT 1)
       UNION ALL
       SELECT (SELECT d.assignment_id FROM ${dirt} d WHERE NOT d.set_aside AND d.assignment_id > dirty.assignment_id
               ORDER BY d.assignment_id LIMIT 1)
       FROM dirty WHERE dirty.assignment_id IS NOT NULL
     )
     SELECT (SELECT date FROM ${session.t('horizon')}),
       (SELECT state = 'running' AND since > clock_timestamp() - $1 * interval '1 millisecond'
        FROM ${session.t('snapshot_state')}),
       (SELECT count(assignment_id) FROM dirty),
       ${oldest(dirt)},
       (SELECT count(*) FROM ${session.t('parked')}),
       (SELECT count(*) FROM ${log} WHERE NOT set_aside),
       ${oldest(log)},
       (SELECT count(*) FROM ${session.t('dead_letter')} WHERE state = 'open')`,
    [snapshotLimitMs],
  );
  const [horizon, snapshotRunning, assignments, oldestDirt, parked, entries, oldestEntry, letters] =
    row as Row;
  return {
    horizon,
    snapshotRunning,
    dirt: { assignments, oldestMs: oldestDirt },
    parked,
    publications: { entries, oldestMs: oldestEntry },
    deadLettersOpen: letters,
  };
}

/** The first in the order of numbers is the oldest but for what two transactions drew at the same moment. */
function oldest(table: string): string {
  return `(SELECT floor(extract(epoch FROM clock_timestamp() - appended_at) * 1000)::bigint
    FROM ${table} WHERE NOT set_aside ORDER BY seq LIMIT 1)`;
}
