/** What the brokers say, and how the store's positions lie in their logs. */

export interface KafkaCluster {
  readonly clusterId: string;
  readonly brokers: number;
  readonly tookMs: number;
}

/** A topic that ought to be there; `partitions` is empty where it is not. */
export interface Topic {
  readonly topic: string;
  readonly partitions: readonly TopicPartition[];
  /** In force, the broker's defaults included. */
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicPartition {
  readonly partition: number;
  /** -1: none. */
  readonly leader: number;
  readonly replicas: number;
  readonly inSync: number;
}

/** How long the first unread record has been lying there: longer than each of the limits, or not. */
export interface Unread {
  readonly away: boolean;
  /** Ten times that. */
  readonly longAway: boolean;
  readonly halfRetention: boolean;
  readonly retention: boolean;
}

export interface PartitionPosition {
  readonly topic: string;
  /** The captured table whose topic it is. */
  readonly table: string;
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
  /** null: nobody ever read it. */
  readonly next: bigint | null;
  /** null: nothing is unread, or the position is outside the log. */
  readonly unread: Unread | null;
  /** It was behind for longer than its topic keeps deletes, whether it has caught up or not. */
  readonly doubt: boolean;
  /** delete.retention.ms of a compacted topic, retention.ms of another; null: for ever. */
  readonly retentionMs: number | null;
}

export interface ConsumerGroup {
  readonly role: 'ingest' | 'recompute';
  readonly group: string;
  /** Stable, Empty, PreparingRebalance, CompletingRebalance, Dead. */
  readonly state: string;
  readonly members: number;
  readonly partitions: number;
  /** Records not taken yet; null: it has committed nothing. */
  readonly lag: number | null;
}

/** The newest heartbeat record. */
export interface Beat {
  /** The connector's clock when it beat. */
  readonly connectorMs: number | null;
  readonly recordMs: number;
  /** True: the broker's clock stamped the record; else the producer's, the connector's, did. */
  readonly stampedByBroker: boolean;
  readonly ageMs: number;
  readonly schemaId: number | null;
  /** False: the registry does not know the record's schema; null: the registry did not say. */
  readonly schemaKnown: boolean | null;
}
