/** The topics as they ought to be, and bringing a cluster to that without ever deleting anything. */
import kafkajs, { type Admin } from 'kafkajs';
import {
  CAPTURED_TABLES,
  changeTopic,
  dailyStateTopic,
  deadLetterTopic,
  heartbeatTopic,
  notificationTopic,
  plannerTriggersTopic,
  recomputeRequestsTopic,
  transactionTopic,
} from '../domain/topics.ts';
import { DELETE_RETENTION_MS } from './definition.ts';

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
  const kept = (days: number) => ({ 'cleanup.policy': 'delete', 'retention.ms': String(days * DAY_MS) });
  return [
    ...CAPTURED_TABLES.map((table) =>
      spec(changeTopic(prefix, table.name), table.volume === 'large' ? largePartitions : 1, compacted),
    ),
    spec(heartbeatTopic(prefix), 1, kept(7)),
    spec(transactionTopic(prefix), 1, kept(7)),
    // In one partition: what is told of a snapshot has an order. A long one is followed from its start.
    spec(notificationTopic(prefix), 1, kept(30)),
    spec(recomputeRequestsTopic(namespace), workPartitions, kept(7)),
    spec(dailyStateTopic(namespace), workPartitions, compacted),
    spec(plannerTriggersTopic(namespace), 1, compacted),
    spec(deadLetterTopic(namespace), 1, kept(30)),
  ];
}

export type TopicAction =
  | { readonly kind: 'created'; readonly topic: string; readonly partitions: number }
  | { readonly kind: 'altered'; readonly topic: string; readonly changes: readonly string[] }
  | { readonly kind: 'unchanged'; readonly topic: string }
  /** Keys would land elsewhere than their earlier records: a decision for people. */
  | {
      readonly kind: 'partitions-differ';
      readonly topic: string;
      readonly has: number;
      readonly wanted: number;
    };

/** Creates what is missing and alters configurations that differ; idempotent, deletes nothing. */
export async function applyTopics(
  admin: Admin,
  manifest: readonly TopicSpec[],
): Promise<readonly TopicAction[]> {
  const existing = new Set(await admin.listTopics());
  const missing = manifest.filter(({ topic }) => !existing.has(topic));
  const present = manifest.filter(({ topic }) => existing.has(topic));
  if (missing.length > 0) {
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ topic, partitions, replicationFactor, config }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      })),
    });
  }
  const created = missing.map(({ topic, partitions }) => ({ kind: 'created' as const, topic, partitions }));
  return [...created, ...(await alterPresent(admin, present))];
}

async function alterPresent(admin: Admin, present: readonly TopicSpec[]): Promise<readonly TopicAction[]> {
  if (present.length === 0) return [];
  const { topics } = await admin.fetchTopicMetadata({ topics: present.map(({ topic }) => topic) });
  const partitionsOf = new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
  const overridesOf = await topicOverrides(
    admin,
    present.map(({ topic }) => topic),
  );
  const actions: TopicAction[] = [];
  for (const spec of present) {
    const { topic, partitions: wanted } = spec;
    const has = partitionsOf.get(topic) ?? wanted;
    if (has !== wanted) actions.push({ kind: 'partitions-differ', topic, has, wanted });
    const overrides = overridesOf.get(topic) ?? new Map<string, string>();
    const changes = Object.entries(spec.config).filter(([name, value]) => overrides.get(name) !== value);
    if (changes.length > 0) await alterConfig(admin, spec, overrides);
    if (changes.length > 0) {
      const said = changes.map(([name, value]) => `${name} ${overrides.get(name) ?? 'unset'} → ${value}`);
      actions.push({ kind: 'altered', topic, changes: said });
    } else if (has === wanted) actions.push({ kind: 'unchanged', topic });
  }
  return actions;
}

/** The request replaces a topic's whole configuration: what others set there is sent along. */
async function alterConfig(
  admin: Admin,
  spec: TopicSpec,
  overrides: ReadonlyMap<string, string>,
): Promise<void> {
  const entries = { ...Object.fromEntries(overrides), ...spec.config };
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: spec.topic,
        configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
      },
    ],
  });
}

/** What is set on each topic itself, without the broker's defaults. */
async function topicOverrides(
  admin: Admin,
  topics: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(
        configEntries
          .filter((entry) => entry.configSource === kafkajs.ConfigSource.TOPIC_CONFIG)
          .map((entry) => [entry.configName, entry.configValue]),
      ),
    ]),
  );
}
