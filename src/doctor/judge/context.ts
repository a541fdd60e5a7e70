/** What the settings say: what ought to be there, by which the judges go. */
import type { Day } from '../../domain/day.ts';
import type { UsedColumn } from '../../domain/used-column.ts';
import type { Limits } from './limits.ts';

export interface Context {
  readonly limits: Limits;
  readonly source: SourceContext;
  readonly connect: ConnectContext;
  readonly kafka: KafkaContext;
  readonly store: StoreContext;
}

export interface CapturedSpec {
  /** With its schema, as SQL names it. */
  readonly table: string;
  /** The columns that the change topic's keys are made of. */
  readonly key: readonly string[];
  readonly columns: readonly UsedColumn[];
}

interface SourceContext {
  readonly database: string;
  readonly role: string;
  readonly slot: string;
  readonly publication: string;
  readonly captured: readonly CapturedSpec[];
  readonly heartbeatTable: string;
  readonly signalTable: string;
}

interface ConnectContext {
  readonly connector: string;
  /** First part of the change topics' names, by which metrics tell one connector from another. */
  readonly prefix: string;
  readonly heartbeatMs: number;
  /** Whether the scheduler starts again what failed. */
  readonly supervised: boolean;
  /** Whether a place is set where Connect's metrics are. */
  readonly metricsSet: boolean;
}

export interface TopicExpectation {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

interface KafkaContext {
  readonly topics: readonly TopicExpectation[];
}

interface StoreContext {
  readonly schema: string;
  /** Holds the sequences that live and replayed schemas share. */
  readonly shared: string;
  /** Connections that one process may open. */
  readonly poolSize: number;
  /** Leases that somebody ought to hold. */
  readonly leases: readonly LeaseExpectation[];
  /** The day that the horizon ought to have reached. */
  readonly horizon: Day;
  readonly horizonFixed: boolean;
  /** What the store's disk holds in all, where that is set. */
  readonly diskBytes: number | null;
}

export interface LeaseExpectation {
  readonly name: string;
  readonly role: 'publish' | 'scheduler' | 'supervisor';
}
