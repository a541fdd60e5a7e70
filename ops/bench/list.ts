/** All benchmarks, in the order in which `npm run bench` runs them; another one is added here. */
import type { Bench } from './bench.ts';
import { bulkBench } from './bulk.ts';
import { commitToTopicBench } from './commit-to-topic.ts';
import { compressedBench } from './compressed.ts';
import { decodeBench } from './decode.ts';
import { engineBench } from './engine.ts';
import { ingestBench } from './ingest.ts';
import { latencyBench } from './latency.ts';
import { readersBench } from './readers.ts';
import { recomputeBench } from './recompute.ts';
import { replayBench } from './replay.ts';
import { storeBench } from './store.ts';

export const BENCHES: readonly Bench[] = [
  engineBench,
  decodeBench,
  storeBench,
  recomputeBench,
  bulkBench,
  compressedBench,
  readersBench,
  ingestBench,
  replayBench,
  commitToTopicBench,
  latencyBench,
];
