/** The instants of one change on its way, and what they say of many. Pure. */

/** In ms, by one clock. */
export interface Instants {
  /** The source's commit. */
  readonly committed: number;
  /** The timestamp of the change record. */
  readonly inKafka: number;
  readonly decoded: number;
  /** Facts and dirt were written. */
  readonly ingested: number;
  /** The recompute's transaction begins. */
  readonly begun: number;
  /** Its rows are written. */
  readonly computed: number;
  /** A read-committed consumer has the row. */
  readonly arrived: number;
}

export interface Quantiles {
  readonly stage: string;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
}

type Stage = readonly [stage: string, from: keyof Instants, to: keyof Instants];

export const DECODE_TO_TOPIC = 'decoded → topic';
export const COMMIT_TO_TOPIC = 'commit → topic';

const STAGES: readonly Stage[] = [
  ['Debezium: commit → in Kafka', 'committed', 'inKafka'],
  ['fetch: in Kafka → decoded', 'inKafka', 'decoded'],
  ['ingest: decoded → facts and dirt', 'decoded', 'ingested'],
  ['quiet time: dirt → recompute begins', 'ingested', 'begun'],
  ['compute: → rows written', 'begun', 'computed'],
  ['publish: → a read-committed consumer has it', 'computed', 'arrived'],
  [DECODE_TO_TOPIC, 'decoded', 'arrived'],
  [COMMIT_TO_TOPIC, 'committed', 'arrived'],
];

export function quantilesOf(seen: readonly Instants[]): readonly Quantiles[] {
  return STAGES.map(([stage, from, to]) => {
    const sorted = seen.map((at) => at[to] - at[from]).sort((a, b) => a - b);
    return { stage, median: quantile(sorted, 0.5), p90: quantile(sorted, 0.9), p99: quantile(sorted, 0.99) };
  });
}

/** The least value that so large a share does not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
