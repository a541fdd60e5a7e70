/** Settings of `doctor`: how long it looks, and from where on something is worth a warning. */
import { whole, wholeOrNone } from './option.ts';

const HOUR = 3_600_000;

const number = (unit: string, min: number, max: number, value: number, prose: string) =>
  whole(unit, { min, max }, { default: value, prose });

const ms = (max: number, value: number, prose: string) => number('ms', 100, max, value, prose);

export const DOCTOR_OPTIONS = {
  probeMs: ms(600_000, 20_000, 'How long one look may take before it counts as unknown.'),
  intervalMs: ms(
    300_000,
    3_000,
    'Time between the two looks by which growth is told; shorter than doctor.probeMs.',
  ),
  scanMs: ms(
    60_000,
    1_000,
    'How long one table of the farm’s may be searched for infinite dates; more than that is unknown.',
  ),
  runwayHours: number(
    'hours',
    1,
    168,
    12,
    'What is lost or full within this time at its present pace counts as tonight.',
  ),
  slotLagMb: number('MB', 1, 10_000_000, 1_024, 'WAL that the slot may hold back.'),
  heartbeatsMissed: number('heartbeats', 1, 1_000, 3, 'Heartbeats that may be missed.'),
  clockSkewMs: ms(HOUR, 2_000, 'How far clocks may be apart.'),
  dirtMs: ms(24 * HOUR, 300_000, 'How long a change may wait to be computed.'),
  backlogMs: ms(24 * HOUR, 300_000, 'How long rows may wait to be published.'),
  awayMs: ms(24 * HOUR, 600_000, 'How long a record may lie unread in a change topic.'),
  transactionMs: ms(24 * HOUR, 300_000, 'How long a transaction may be open in the state store.'),
  deadTuples: number(
    'rows',
    1,
    1_000_000_000,
    100_000,
    'Dead rows of a table, where they are a fifth of it.',
  ),
  deadLetters: number(
    'dead letters',
    1,
    1_000_000,
    100,
    'So many open dead letters are critical; one is a warning.',
  ),
  freePercent: number('percent', 1, 90, 15, 'Room on the state store’s disk; a third of it is critical.'),
  freeConnections: number(
    'connections',
    1,
    1_000,
    10,
    'Connections of the state store that ought to be free.',
  ),
  queuePercent: number('percent', 1, 99, 80, 'How full the connector’s queue may be.'),
  storeDiskGb: wholeOrNone(
    'GB',
    { min: 1, max: 1_000_000 },
    {
      default: null,
      prose:
        'What the state store’s disk holds in all, where it is on another machine: Postgres does not tell. None: looked up where the server is on this one.',
    },
  ),
} as const;
