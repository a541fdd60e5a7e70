/** Settings of building a schema anew from the change topics. */
import { choice, whole, wholeOrNone } from './option.ts';

const MIB = 1_048_576;

export const REPLAY_OPTIONS = {
  // Measured by `npm run bench:readers`; docs/replay.md has the figures. Where they turn, `auto` does
  // (kafka/bulk-reader-choice.ts).
  reader: choice(['auto', 'kafkajs', 'rdkafka'], {
    default: 'auto',
    prose:
      'Client that reads the topics; `auto`: the one that was measured to be the faster, kafkajs. Where node-rdkafka is not built (`npm run rdkafka:build`) or cannot do what `kafka.…` says, kafkajs reads.',
  }),
  workers: wholeOrNone(
    'threads',
    { min: 1, max: 128 },
    {
      default: null,
      prose: 'Threads that decode and write, each with a connection to the store; none: as many as cores.',
    },
  ),
  chunkBytes: whole(
    'bytes',
    { min: 65_536, max: 64 * MIB },
    {
      default: MIB,
      prose: 'About as much of a partition is read, decoded and written at a time, in one transaction.',
    },
  ),
  chunksAhead: whole(
    'chunks',
    { min: 1, max: 64 },
    {
      default: 4,
      prose: 'Chunks that wait for each thread at the most; with `replay.chunkBytes` this bounds the memory.',
    },
  ),
  sortMb: whole(
    'MB',
    { min: 4, max: 16_384 },
    {
      default: 128,
      prose: 'Memory of the store’s server for each sort of the merge and each index (work_mem).',
    },
  ),
} as const;
