/** The topics as they ought to be. */
import {
  CAPTURED_TABLES,
  changeTopic,
  dailyStateTopic,
  deadLetterTopic,
  heartbeatTopic,
  notificationTopic,
  plannerTriggersTopic,
  recomputeRequestsTopic,
  TRANSACTIONS_KEPT_MS,
  transactionTopic,
} from '../domain/topics.ts';
import { DELETE_RETENTION_MS, MAX_RECORD_BYTES } from './definition.ts';

export interface TopicSettings {
  /** The connector's topic.prefix. */
  readonly prefix: string;
  /** First part of Anchorline's own topics. */
  readonly namespace: string;
  readonly replicationFactor: number;
  /** Partitions of large tables' change topics; the others have one. */
  readonly largePartitions: number;
  /** Partitions of recompute-requests and daily-state: as many processes can share the work. */
  readonly workPartitions: number;
}

export const DEFAULT_TOPICS = {
  prefix: 'farm',
  namespace: 'anchorline',
  replicationFactor: 1,
  largePartitions: 6,
  workPartitions: 12,
} as const satisfies TopicSettings;

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;

export function topicManifest(settings: TopicSettings): readonly TopicSpec[] {
  const { prefix, namespace, replicationFactor, largePartitions, workPartitions } = settings;
  const spec = (topic: string, partitions: number, config: Readonly<Record<string, string>>): TopicSpec => ({
    topic,
    partitions,
    replicationFactor,
    config,
  });
  const compacted = { 'cleanup.policy': 'compact', 'delete.retention.ms': String(DELETE_RETENTION_MS) };
  // What comes from the farm may be of any size, and so may what is set aside of it.
  const large = { 'max.message.bytes': String(MAX_RECORD_BYTES) };
  const kept = (days: number) => ({ 'cleanup.policy': 'delete', 'retention.ms': String(days * DAY_MS) });
  return [
    ...CAPTURED_TABLES.map((table) =>
      spec(changeTopic(prefix, table.name), table.volume === 'large' ? largePartitions : 1, {
        ...compacted,
        ...large,
      }),
    ),
    // Stamped by the broker: beside the connector's time in the record it tells how far their clocks are apart.
    spec(heartbeatTopic(prefix), 1, { ...kept(7), 'message.timestamp.type': 'LogAppendTime' }),
    spec(transactionTopic(prefix), 1, kept(TRANSACTIONS_KEPT_MS / DAY_MS)),
    // In one partition: what is told of a snapshot has an order. A long one is followed from its start.
    spec(notificationTopic(prefix), 1, kept(30)),
    spec(recomputeRequestsTopic(namespace), workPartitions, kept(7)),
    spec(dailyStateTopic(namespace), workPartitions, compacted),
    spec(plannerTriggersTopic(namespace), 1, compacted),
    spec(deadLetterTopic(namespace), 1, { ...kept(30), ...large }),
  ];
}
