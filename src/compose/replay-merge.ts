/** Staging tables → facts, several tables at a time; then what the topics do not hold. */
import { availableParallelism } from 'node:os';
import type { Pool } from 'pg';
import type { Config } from '../config/load.ts';
import type { FactKind } from '../domain/facts.ts';
import { foldImages } from '../replay/kept.ts';
import { mergeKind, mergeReadings } from '../store/merge.ts';
import { adopt } from '../store/replay-adopt.ts';
import type { Adoption } from '../store/replay-adopt.ts';
import type { Build, Names, Session } from '../store/session.ts';
import { STAGED_READING, requireStaging, stagedTables } from '../store/staging.ts';
import { inSession, inTransaction } from '../store/transaction.ts';

export interface MergeOptions {
  readonly config: Config;
  readonly pool: Pool;
  readonly names: Names;
  readonly build: Build;
  readonly adoption: Adoption;
  readonly onMerged: (table: string, rows: number, done: number, of: number) => void;
}

/** Throws StagingLostError where there is less than was staged; may be called again after any failure. */
export async function mergeStaged(options: MergeOptions): Promise<void> {
  const { config, pool, names, adoption, onMerged } = options;
  const tables = await inSession(pool, names, stagedTables);
  const queue = [...tables];
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let table = queue.shift(); table !== undefined; table = queue.shift()) {
      const rows = await mergeTable(options, table);
      done += 1;
      onMerged(table.replace('staged_', ''), rows, done, tables.length);
    }
  };
  const lanes = Array.from({ length: config.replay.workers ?? availableParallelism() }, lane);
  const results = await Promise.allSettled(lanes);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  await inTransaction(pool, names, 'BEGIN', async (session) => {
    await requireStaging(session);
    await adopt(session, adoption);
  });
}

function mergeTable({ config, pool, names, build }: MergeOptions, table: string): Promise<number> {
  const { sortMb } = config.replay;
  const begin = `BEGIN; SET LOCAL work_mem = '${sortMb}MB'; SET LOCAL maintenance_work_mem = '${sortMb}MB'`;
  return inTransaction(pool, names, begin, async (session: Session) => {
    await requireStaging(session);
    if (table === STAGED_READING) return mergeReadings(session, build);
    return mergeKind(session, table.replace('staged_', '') as FactKind, foldImages);
  });
}
