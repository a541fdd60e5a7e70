/** The recompute role: requests → due assignments → rows, with a sweeper for requests that were lost. */
import type { SourceRecord } from '../domain/cdc.ts';
import type { Id } from '../domain/facts.ts';
import type { RecomputeRequests } from '../domain/ports.ts';
import type { GivenUp } from '../domain/transactions.ts';
import { recomputeRequestsTopic } from '../domain/topics.ts';
import { ConsumerRunner } from '../kafka/consumer-runner.ts';
import { requestedAssignment } from '../kafka/producers.ts';
import { recomputePatiently } from '../recompute/patient.ts';
import type { PatientDeps } from '../recompute/patient.ts';
import type { RecomputeResult } from '../recompute/step.ts';
import { sweep, sweepTransactions } from '../recompute/sweep.ts';
import { RecomputeWorker } from '../recompute/worker.ts';
import { describeError } from '../runtime/describe-error.ts';
import { interruptible } from '../runtime/interruptible.ts';
import type { Service } from '../runtime/lifecycle.ts';
import { recordLatency, recordMs } from '../runtime/metrics.ts';
import { isOverload } from '../store/errors.ts';
import { engineSettingsOf } from '../wiring.ts';
import type { App } from './app.ts';
import { consumerEvents, consumerTuning, partitionHalted } from './consumers.ts';
import { noteRetry } from './failures.ts';
import { createRequests } from './ingest-service.ts';
import { isOutage } from './outage.ts';

/** A failing assignment's first pause between tries, ms. */
const PARK_BACKOFF_MS = 200;
const SWEEP_LIMIT = 5_000;

export interface RecomputeServiceOptions {
  /** Called when rows were written that wait to be published. */
  readonly onWritten: () => void;
}

export function createRecomputeService(app: App, { onWritten }: RecomputeServiceOptions): Service {
  const { config, clock, store } = app;
  const log = app.log.child({ role: 'recompute' });
  const requests = createRequests(app);
  const deps: PatientDeps = {
    store: {
      recompute: (work) =>
        app.work.during('recompute', 'a recompute transaction', () => store.recompute(work)),
      park: (parked) => store.park(parked),
    },
    requests,
    clock,
    log,
    settings: engineSettingsOf(config),
    isOutage,
    isOverload,
    onResult: (result) => {
      app.health.set('recompute', null, 'store');
      noteResult(app, result);
      if (result.inserted + result.updated + result.deleted > 0) onWritten();
    },
    onParked: ({ assignmentId, code, message, tries }) =>
      log.error({ assignmentId, code, tries }, `assignment ${assignmentId} is parked: ${message}`),
    onRetry: (error) => {
      noteRetry(app, error);
      app.health.set('recompute', `a recompute waits: ${describeError(error)}`, 'store');
    },
    onPostponed: (assignmentId, error) =>
      log.error(
        { assignmentId, err: error },
        `assignment ${assignmentId} is too much for the store even alone: the sweeper asks for it again`,
      ),
  };
  const options = { tries: config.recompute.tries, backoffMs: PARK_BACKOFF_MS };
  const worker = new RecomputeWorker(
    {
      clock,
      recompute: (ids, signal) => recomputePatiently(deps, ids, options, signal),
      holdBack: () => holdBack(app),
      onError: (error, ids) => log.error({ err: error, assignments: ids }, 'a recompute ended unexpectedly'),
    },
    { ...config.recompute, snapshotPollMs: 250 },
  );
  const runner = createConsumer(app, worker);
  return {
    id: 'recompute',
    run: async (signal) => {
      await Promise.all([runner.run(signal), worker.run(signal), sweepForever(app, requests, signal)]);
    },
    stop: () => requests.close(),
  };
}

function createConsumer(app: App, worker: RecomputeWorker): ConsumerRunner {
  const { config, clock } = app;
  const log = app.log.child({ role: 'recompute' });
  const handleBatch = async (records: readonly SourceRecord[]): Promise<void> => {
    const ids = records.map((record) => requestedAssignment(record.key));
    worker.request(ids.filter((id) => id !== null));
  };
  return new ConsumerRunner({
    connection: app.kafka,
    groupId: config.recompute.groupId,
    topics: [recomputeRequestsTopic(config.topics.namespace)],
    positions: 'group',
    handleBatch,
    onFatal: (error, at) => partitionHalted(app, 'recompute', error, at),
    log,
    clock,
    events: consumerEvents(app, 'recompute'),
    tuning: consumerTuning(config),
  });
}

/** An outage here is the recompute's own in a moment, which waits and says so. */
async function holdBack({ store, config }: App): Promise<boolean> {
  try {
    return await store.snapshotRunning(config.recompute.snapshotLimitMs);
  } catch (error) {
    if (isOutage(error)) return false;
    throw error;
  }
}

async function sweepForever(app: App, requests: RecomputeRequests, signal: AbortSignal): Promise<void> {
  const { config, clock, store, log, processId, health } = app;
  const { intervalMs, olderThanMs } = config.sweep;
  const sweepOnce = async (): Promise<readonly Id[]> => {
    if (!(await store.acquireLease('sweep', processId, intervalMs * 3))) return [];
    noteGivenUp(
      app,
      await sweepTransactions({ store, requests }, olderThanMs, config.recompute.transactionWaitMs),
    );
    if (await holdBack(app)) return [];
    return sweep({ store, requests }, olderThanMs, SWEEP_LIMIT);
  };
  while (!signal.aborted) {
    await clock.sleep(intervalMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const found = await interruptible(sweepOnce(), signal);
      health.set('recompute', null, 'sweep');
      if (found.length > 0) log.info({ assignments: found.length }, 'dirt had waited long: asked again');
    } catch (error) {
      if (signal.aborted) return;
      if (!health.set('recompute', `the sweep failed: ${describeError(error)}`, 'sweep')) continue;
      log.warn({ err: error }, 'the sweep failed: the next one tries again');
    }
  }
}

/** Also where nothing waits for transactions any more: what was noted before goes. */
function noteGivenUp({ metrics, log, config }: App, { count, ids, assignmentIds }: GivenUp): void {
  if (count === 0) return;
  metrics.transactionsGivenUp.inc(count);
  const waited = `${config.recompute.transactionWaitMs} ms`;
  log.warn(
    { transactions: count, xids: ids, assignments: assignmentIds.length },
    `${count} transactions of the source were not whole after ${waited}: what waited for them is computed as it is`,
  );
}

function noteResult({ metrics, clock, log }: App, result: RecomputeResult): void {
  if (result.overdue.length > 0) {
    metrics.assignmentsOverdue.inc(result.overdue.length);
    log.warn(
      { assignments: result.overdue },
      'computed though a transaction of the source was not whole: there was always another one, for too long',
    );
  }
  metrics.recomputeTransactions.inc();
  recordMs(metrics.recomputeDuration, result.tookMs);
  metrics.rowsComputed.inc(result.rowsComputed);
  metrics.rowsWritten.inc({ kind: 'insert' }, result.inserted);
  metrics.rowsWritten.inc({ kind: 'update' }, result.updated);
  metrics.rowsWritten.inc({ kind: 'delete' }, result.deleted);
  for (const [code, count] of result.anomalies) metrics.anomalies.inc({ code }, count);
  recordLatency(metrics, 'decode_to_computed', result.decodedMs, clock.nowMs());
}
