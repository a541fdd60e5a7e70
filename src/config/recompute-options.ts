/** How assignments are computed: when, how many at a time, and what they wait for. */
import { text, whole } from './option.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const ms = (min: number, max: number, value: number, prose: string) =>
  whole('ms', { min, max }, { default: value, prose });

export const RECOMPUTE_OPTIONS = {
  groupId: text({
    default: (basis) => `${basis.namespace}-recompute`,
    prose: 'Consumer group of recompute: one owner per assignment.',
  }),
  quietMs: ms(0, MINUTE, 50, 'An assignment is computed once nothing came for it during this time.'),
  longestWaitMs: ms(0, HOUR, 5_000, '… but never later than this after its first change.'),
  concurrency: whole(
    'transactions',
    { min: 1, max: 64 },
    { default: 2, prose: 'Recompute transactions at the same time.' },
  ),
  batchSize: whole(
    'assignments',
    { min: 1, max: 1_000 },
    { default: 25, prose: 'Most assignments in one transaction.' },
  ),
  tries: whole(
    'tries',
    { min: 1, max: 20 },
    { default: 3, prose: 'Failures of an assignment by itself before it is parked.' },
  ),
  snapshotLimitMs: ms(
    0,
    HOUR,
    2_000,
    'Recompute waits while an initial snapshot streams in: until its last record, or until none came for this long.',
  ),
  transactionWaitMs: ms(
    0,
    HOUR,
    MINUTE,
    'An assignment waits until every transaction of the farm’s that changed it is ingested whole, but no longer than this; 0: not at all, and rows may reflect half of one.',
  ),
} as const;
