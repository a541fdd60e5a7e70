/** Drives the open run: its reading in the background, and its tables one step after the other. */
import type { Clock } from '../domain/ports.ts';
import type { Resnapshot, RunPartition } from '../domain/resnapshot.ts';
import { changeTopic, notificationTopic } from '../domain/topics.ts';
import type { CapturedTableName } from '../domain/topics.ts';
import { stepTable } from './tables.ts';
import type { SweepDeps } from './tables.ts';

export interface DriveDeps extends SweepDeps {
  readonly clock: Clock;
  /** Reads the topics for the run until the signal; `onLost`: records that were not read are gone from them. */
  readonly read: (
    run: string,
    topics: readonly string[],
    onLost: (why: string) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** False while another process drives. */
  readonly mayDrive: () => Promise<boolean>;
  readonly onTrouble: (error: unknown) => void;
  /** Each time that it is looked at. */
  readonly onLook?: (run: Resnapshot) => void;
  /** It has ended, or waits for an operator, after something went on. */
  readonly onRest: (run: Resnapshot) => void;
}

/** `rests`: nothing goes on before an operator decides, or asks the connector. */
export type DriveEnd = 'ended' | 'rests' | 'elsewhere' | 'stopped';

const LOOK_MS = 500;

/** Resolves when nothing is left to do here. Throws only what is no outage: a bug. */
export async function driveResnapshot(deps: DriveDeps, signal: AbortSignal): Promise<DriveEnd> {
  const first = await deps.store.latest();
  const rest = restOf(first);
  if (first === null || rest !== null) return rest ?? 'rests';
  if (!(await deps.mayDrive())) return 'elsewhere';
  const reading = new AbortController();
  const lost: string[] = [];
  const topics = [
    ...first.tables.map(({ table }) => changeTopic(deps.prefix, table)),
    notificationTopic(deps.prefix),
  ];
  const until = AbortSignal.any([signal, reading.signal]);
  const read = deps.read(first.id, topics, (why) => void lost.push(why), until);
  try {
    return await untilRest(deps, first.id, lost, signal);
  } finally {
    reading.abort(new Error('the run goes on without reading'));
    await read;
  }
}

async function untilRest(
  deps: DriveDeps,
  id: string,
  lost: readonly string[],
  signal: AbortSignal,
): Promise<DriveEnd> {
  while (!signal.aborted) {
    let moved = false;
    try {
      if (!(await deps.mayDrive())) return 'elsewhere';
      const [why] = lost;
      if (why !== undefined) await deps.store.end(id, 'failed', why);
      const run = await deps.store.latest();
      if (run?.id !== id) return 'ended';
      deps.onLook?.(run);
      const rest = restOf(run);
      if (rest !== null) {
        deps.onRest(run);
        return rest;
      }
      moved = await stepRun(deps, run);
    } catch (error) {
      if (!deps.isOutage(error)) throw error;
      deps.onTrouble(error);
    }
    if (!moved) await deps.clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
  return 'stopped';
}

/** One look at every table; true where anything moved. */
export async function stepRun(deps: SweepDeps, run: Resnapshot): Promise<boolean> {
  const all = await deps.store.partitions(run.id);
  let moved = false;
  for (const table of run.tables) {
    if (await stepTable(deps, run, table, partitionsOf(all, table.table))) moved = true;
  }
  const after = await deps.store.latest();
  if (after?.id !== run.id || after.outcome !== null) return moved;
  if (!after.tables.every(({ state }) => state === 'done' || state === 'failed')) return moved;
  const failed = after.tables.filter(({ state }) => state === 'failed');
  const why = failed.map(({ table, note }) => `${table}: ${note ?? 'failed'}`).join('; ');
  await deps.store.end(run.id, failed.length === 0 ? 'done' : 'failed', failed.length === 0 ? null : why);
  return true;
}

/** Why nothing would move; null where something may. */
function restOf(run: Resnapshot | null): DriveEnd | null {
  if (run === null || run.outcome !== null) return 'ended';
  if (run.requestedMs === null) return 'rests';
  const over = run.tables.every(({ state }) => state === 'done' || state === 'failed');
  const still = run.tables.every(({ state }) => state === 'done' || state === 'failed' || state === 'held');
  return still && !over ? 'rests' : null;
}

function partitionsOf(all: readonly RunPartition[], table: CapturedTableName): RunPartition[] {
  return all.filter((partition) => partition.table === table);
}
