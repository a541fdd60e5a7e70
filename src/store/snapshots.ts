/** Whether an initial snapshot is being ingested. */
import type { Session } from './session.ts';

/** Every batch says so, and the row is touched when it changes only: nobody waits for its lock otherwise. */
export async function noteSnapshot(session: Session, state: 'running' | 'done'): Promise<void> {
  await session.run(
    `UPDATE ${session.t('snapshot_state')} SET state = $1, since = clock_timestamp() WHERE state <> $1`,
    [state],
  );
}

export async function snapshotRunning(session: Session, limitMs: number): Promise<boolean> {
  const row = await session.first<[boolean]>(
    `SELECT state = 'running' AND since > clock_timestamp() - $1 * interval '1 millisecond'
     FROM ${session.t('snapshot_state')}`,
    [limitMs],
  );
  return row?.[0] ?? false;
}
