/** A thread that decodes chunks of the topics and stages them: started by replay-load.ts, which sends the chunks. */
import { parentPort, workerData } from 'node:worker_threads';
import { recordDecoder } from '../ingest/decoder.ts';
import { createAvroDecoder } from '../kafka/avro.ts';
import { unpackRecords } from '../kafka/bulk-reader.ts';
import { prepare, stage } from '../replay/stage.ts';
import type { Prepared, StageDeps } from '../replay/stage.ts';
import { createLogger } from '../runtime/logger.ts';
import { retry } from '../runtime/retry.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { SHARED_SCHEMA } from '../store/pg-store.ts';
import { stageChunk } from '../store/staging.ts';
import { inTransaction } from '../store/transaction.ts';
import { registryOf } from '../wiring-access.ts';
import { engineSettingsOf } from '../wiring.ts';
import { isOutage } from './outage.ts';
import { toThrown } from './replay-messages.ts';
import type { ReplayAnswer, ReplayOrder, ReplayWorkerData } from './replay-messages.ts';
import { poolOf } from './store.ts';

const port = parentPort;
if (port === null) throw new Error('this file is for a worker thread');
const { config } = workerData as ReplayWorkerData;
const log = createLogger({ level: config.log.level, format: config.log.format });
const pool = poolOf(config, log, 1, config.store.statementMs);
const names = { schema: config.store.schema, shared: SHARED_SCHEMA };
/** What a crash of the server takes is read again: whoever waits for the disk here waits for nothing. */
const BEGIN = 'BEGIN; SET LOCAL synchronous_commit = off';

const deps: StageDeps = {
  staging: {
    stage: (chunk) => inTransaction(pool, names, BEGIN, (session) => stageChunk(session, chunk, true)),
  },
  decoder: recordDecoder(createAvroDecoder(registryOf(config)), config.topics.prefix),
  settings: engineSettingsOf(config),
  isOutage,
};

type Stage = Extract<ReplayOrder, { kind: 'stage' }>;

/** The registry's outages are waited out here; the store's end the run, for what was staged may be gone with it. */
function prepared(order: Stage): Promise<Prepared> {
  return retry(() => prepare(deps, unpackRecords(order.chunk)), {
    what: 'decoding',
    clock: systemClock,
    log,
    retryable: isOutage,
  });
}

let staged: Promise<void> = Promise.resolve();
let taken: Promise<void> = Promise.resolve();

/** One chunk is written while the next one is decoded, and no more than that. */
async function take(order: Stage): Promise<void> {
  try {
    const ready = await prepared(order);
    await staged;
    staged = write(order, ready);
  } catch (error) {
    tell({ id: order.id, thrown: toThrown(error) });
  }
}

async function write({ id, chunk, from }: Stage, ready: Prepared): Promise<void> {
  try {
    tell({ id, letters: await stage(deps, chunk, ready, from, chunk.nextOffset) });
  } catch (error) {
    tell({ id, thrown: toThrown(error) });
  }
}

async function leave(): Promise<void> {
  await staged;
  await pool.end();
  port?.close();
}

function tell(answer: ReplayAnswer): void {
  port?.postMessage(answer);
}

port.on('message', (order: ReplayOrder) => {
  taken = taken.then(() => (order.kind === 'stage' ? take(order) : leave()));
});
