/** The stages of one replay: loading → merging → computing → ready, each gone on with wherever it was ended. */
import type { Pool } from 'pg';
import type { Config } from '../config/load.ts';
import { StalePositionError } from '../domain/errors.ts';
import type { PartitionId } from '../domain/ports.ts';
import type { ReplayState } from '../domain/replay.ts';
import type { WatermarkSource } from '../kafka/watermarks.ts';
import { REPLAY_ERRORS, ReplayError } from '../replay/errors.ts';
import { PaceMeter, durationText } from '../replay/pace.ts';
import { errorCode } from '../runtime/describe-error.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { beginAgain, enterState, findReplay, replayPartitions } from '../store/replays.ts';
import type { Replay, ReplayPartition } from '../store/replays.ts';
import type { Build, Names } from '../store/session.ts';
import { StagingLostError, requireStaging, stagingIsWhole } from '../store/staging.ts';
import { READ_COMMITTED, inSession, inTransaction } from '../store/transaction.ts';
import { computeSchema } from './bulk.ts';
import { loadTopics } from './replay-load.ts';
import type { LoadProgress } from './replay-load.ts';
import { mergeStaged } from './replay-merge.ts';
import { bulkReaderOf } from './replay-reader.ts';
import { horizonOf } from './scheduler-service.ts';

export interface ReplayParts {
  /** Its `store.schema` is the one that is made. */
  readonly config: Config;
  readonly log: Logger;
  readonly pool: Pool;
  readonly names: Names;
  readonly build: Build;
  /** The live schema; null: there is none. */
  readonly live: string | null;
  readonly logs: WatermarkSource;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What was done; of a stage that an earlier run had done, nothing. */
export interface ReplayTally {
  records: number;
  letters: number;
  rows: number;
  parked: readonly number[];
  readonly tookMs: Record<Exclude<ReplayState, 'ready'>, number>;
}

/** At least so long between two lines of progress. */
const LINE_MS = 2_000;

/** From wherever it is to ready. Throws outages too: the same call may be repeated. */
export async function runStages(parts: ReplayParts, tally: ReplayTally): Promise<void> {
  for (;;) {
    parts.signal.throwIfAborted();
    const { state, startedMs } = await currentOf(parts);
    if (state === 'ready') return;
    const beganMs = systemClock.nowMs();
    try {
      if (state === 'loading') await load(parts, tally);
      else if (state === 'merging') await merge(parts, startedMs);
      else await compute(parts, tally);
    } catch (error) {
      if (!(await isLost(parts, error, state))) throw error;
      parts.progress('the state store crashed and lost what was loaded: loading begins again');
      await inTransaction(parts.pool, parts.names, READ_COMMITTED, beginAgain);
    } finally {
      tally.tookMs[state] += systemClock.nowMs() - beganMs;
    }
  }
}

async function currentOf({ pool, names }: ReplayParts): Promise<Replay> {
  const found = await findReplay(pool, names);
  if (typeof found === 'object') return found;
  throw new ReplayError(REPLAY_ERRORS.unknown, `there is no replay ${names.schema} any more`);
}

/** After a crash the noted positions too may be older than what a thread believes. */
async function isLost({ pool, names }: ReplayParts, error: unknown, state: ReplayState): Promise<boolean> {
  if (error instanceof StagingLostError) return true;
  if (state !== 'loading' || !isStale(error)) return false;
  return !(await inSession(pool, names, stagingIsWhole));
}

/** An answer to a commit that got lost: what counts is what the store says next time. */
export function isStale(error: unknown): boolean {
  return error instanceof StalePositionError || errorCode(error) === 'POS001';
}

async function load(parts: ReplayParts, tally: ReplayTally): Promise<void> {
  const { config, log, pool, names, signal, progress } = parts;
  await inSession(pool, names, requireStaging);
  const partitions = await inSession(pool, names, replayPartitions);
  await refuseRemoved(parts, partitions);
  const meter = new PaceMeter();
  const before = { records: tally.records, letters: tally.letters };
  const tell = atMostEvery(LINE_MS, (state: LoadProgress) => progress(loadLine(state, meter)));
  const onProgress = (state: LoadProgress): void => {
    tally.records = before.records + state.records;
    tally.letters = before.letters + state.letters;
    tell(state);
  };
  await loadTopics({ config, reader: bulkReaderOf(config, log), partitions, onProgress, signal });
  await inTransaction(pool, names, READ_COMMITTED, async (session) => {
    await requireStaging(session);
    await enterState(session, 'merging');
  });
  progress(`loaded ${count(tally.records)} records, ${count(tally.letters)} of them set aside`);
}

function loadLine({ read, toRead, letters }: LoadProgress, meter: PaceMeter): string {
  const { perSecond, leftMs } = meter.note(systemClock.nowMs(), read, toRead);
  const aside = letters === 0 ? '' : `, ${count(letters)} set aside`;
  const left = leftMs === null ? '' : `, ${durationText(leftMs)} left`;
  return `loading: ${count(read)} of ${count(toRead)} offsets, ${count(perSecond)}/s${aside}${left}`;
}

/** What is gone from a log before it was read would be missing without a word. */
async function refuseRemoved(
  { logs, names }: ReplayParts,
  partitions: readonly ReplayPartition[],
): Promise<void> {
  const open = partitions.filter(({ staged, end }) => staged < end);
  const bounds = await logs.read(open.map(({ topic }) => topic));
  for (const at of open) {
    const { low = 0n, high = 0n } = bounds(at) ?? {};
    if (low <= at.staged && at.end <= high) continue;
    throw new ReplayError(
      REPLAY_ERRORS.removed,
      `${at.topic}/${at.partition} no longer holds ${at.staged} to ${at.end}: ` +
        `\`anchorline replay drop ${names.schema}\`, then begin anew`,
    );
  }
}

async function merge(parts: ReplayParts, startedMs: number): Promise<void> {
  const { config, pool, names, build, live, progress } = parts;
  const horizon = horizonOf({ config, clock: systemClock });
  const doubtful = await loadedForTooLong(parts, systemClock.nowMs() - startedMs);
  const onMerged = (table: string, rows: number, done: number, of: number): void => {
    if (rows > 0) progress(`merging: ${done} of ${of} tables, ${count(rows)} rows of ${table}`);
  };
  await mergeStaged({ config, pool, names, build, adoption: { live, horizon, doubtful }, onMerged });
}

async function loadedForTooLong(
  { logs, pool, names }: ReplayParts,
  tookMs: number,
): Promise<readonly PartitionId[]> {
  const partitions = await inSession(pool, names, replayPartitions);
  const kept = await logs.deletesKept([...new Set(partitions.map(({ topic }) => topic))]);
  return partitions.filter(({ topic }) => tookMs > (kept.get(topic) ?? Number.POSITIVE_INFINITY));
}

async function compute(parts: ReplayParts, tally: ReplayTally): Promise<void> {
  const { config, log, pool, names, signal, progress } = parts;
  const tell = atMostEvery(LINE_MS, progress);
  const computed = await computeSchema({
    config,
    log,
    schema: names.schema,
    signal,
    onProgress: ({ rows, assignments, assignmentsTotal, rowsPerSecond, leftMs }) =>
      tell(
        `computing: ${count(assignments)} of ${count(assignmentsTotal)} assignments, ${count(rows)} rows, ` +
          `${count(rowsPerSecond)}/s${leftMs === null ? '' : `, ${durationText(leftMs)} left`}`,
      ),
  });
  tally.rows += computed.rows;
  tally.parked = computed.parked;
  await inTransaction(pool, names, READ_COMMITTED, (session) => enterState(session, 'ready'));
}

function atMostEvery<T>(ms: number, tell: (value: T) => void): (value: T) => void {
  let nextMs = systemClock.nowMs() + ms;
  return (value) => {
    const nowMs = systemClock.nowMs();
    if (nowMs < nextMs) return;
    nextMs = nowMs + ms;
    tell(value);
  };
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}
