/** Whether an initial snapshot is being ingested. */
import type { Session } from './session.ts';

/**
 * Every batch says so. The row is touched when the state changes, and once a second while a snapshot runs,
 * so that one which never ends (its last table was empty) is over some time after its last record.
 */
export async function noteSnapshot(session: Session, state: 'running' | 'done'): Promise<void> {
  await session.run(
    `UPDATE ${session.t('snapshot_state')} SET state = $1, since = clock_timestamp()
     WHERE state <> $1 OR ($1 = 'running' AND since < clock_timestamp() - interval '1 second')`,
    [state],
  );
}

/** True while a snapshot runs and its last record is younger than `limitMs`. */
export async function snapshotRunning(session: Session, limitMs: number): Promise<boolean> {
  const row = await session.first<[boolean]>(
    `SELECT state = 'running' AND since > clock_timestamp() - $1 * interval '1 millisecond'
     FROM ${session.t('snapshot_state')}`,
    [limitMs],
  );
  return row?.[0] ?? false;
}
