/** A thread that computes chunks of a schema, with a pool of its own: started by bulk.ts, which sends the chunks. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BulkChunk } from '../bulk/plan.ts';
import { computeChunk } from '../bulk/step.ts';
import { createLogger } from '../runtime/logger.ts';
import { retry } from '../runtime/retry.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { engineSettingsOf } from '../wiring.ts';
import type { BulkAnswer, BulkOrder, BulkWorkerData } from './bulk-messages.ts';
import { toThrown } from './bulk-messages.ts';
import { isInfrastructure } from '../store/errors.ts';
import { openStore } from './store.ts';

const port = parentPort;
if (port === null) throw new Error('this file is for a worker thread');
const { config, lanes } = workerData as BulkWorkerData;
const log = createLogger({ level: config.log.level, format: config.log.format });
const opened = await openStore(config, log, lanes);
const deps = { store: opened.store.bulk, settings: engineSettingsOf(config), isOutage: isInfrastructure };
const ended = new AbortController();

const compute = (chunk: BulkChunk) =>
  retry(() => computeChunk(deps, chunk), {
    what: 'computing batches',
    clock: systemClock,
    log,
    signal: ended.signal,
    retryable: isInfrastructure,
  });

async function answer(order: Extract<BulkOrder, { kind: 'compute' }>): Promise<BulkAnswer> {
  try {
    return { id: order.id, result: await compute(order.chunk) };
  } catch (error) {
    return { id: order.id, thrown: toThrown(error) };
  }
}

port.on('message', (order: BulkOrder) => {
  if (order.kind === 'compute') void answer(order).then((message) => port.postMessage(message));
  else {
    ended.abort(new Error('ended'));
    void opened.close().then(() => port.close());
  }
});
