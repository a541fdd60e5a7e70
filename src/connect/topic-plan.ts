/** Bringing a cluster's topics to what they ought to be: the difference first; nothing is ever deleted. */
import kafkajs, { type Admin } from 'kafkajs';
import { type Difference, changed, created } from './difference.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';
import type { TopicSpec } from './topics.ts';

const LOOK_MS = 50;
const SPREAD_LIMIT_MS = 5_000;

/** A topic as it is. */
export interface FoundTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** What is set on the topic itself, without the broker's defaults. */
  readonly config: ReadonlyMap<string, string>;
}

export interface TopicPlan {
  readonly differences: readonly Difference[];
  /** What is left as it is: a decision for people. */
  readonly warnings: readonly string[];
  readonly unchanged: number;
  readonly toCreate: readonly TopicSpec[];
  /** Whole configurations: a request replaces all that is set on a topic, what others set included. */
  readonly toAlter: readonly { readonly topic: string; readonly config: Readonly<Record<string, string>> }[];
}

/** Pure: what differs, and what each request must carry. */
export function compareTopics(
  manifest: readonly TopicSpec[],
  found: ReadonlyMap<string, FoundTopic>,
): TopicPlan {
  const toCreate = manifest.filter(({ topic }) => !found.has(topic));
  const present = manifest.flatMap((spec) => {
    const topic = found.get(spec.topic);
    if (topic === undefined) return [];
    const wanted = Object.entries(spec.config).filter(([key, value]) => topic.config.get(key) !== value);
    return [{ spec, topic, wanted }];
  });
  const altered = present.filter(({ wanted }) => wanted.length > 0);
  return {
    differences: [
      ...toCreate.map((spec) => created(spec.topic, detailsOf(spec))),
      ...altered.flatMap(({ spec, topic, wanted }) =>
        wanted.map(([key, value]) => changed(`${spec.topic} ${key}`, topic.config.get(key) ?? null, value)),
      ),
    ],
    warnings: present.flatMap(({ spec, topic }) => warningsOf(spec, topic)),
    unchanged: present.length - altered.length,
    toCreate,
    toAlter: altered.map(({ spec, topic }) => ({
      topic: spec.topic,
      config: { ...Object.fromEntries(topic.config), ...spec.config },
    })),
  };
}

function detailsOf({ partitions, replicationFactor, config }: TopicSpec): string {
  const settings = Object.entries(config).map(([key, value]) => `${key}=${value}`);
  return [`${partitions} partitions, ${replicationFactor} copies`, ...settings].join(', ');
}

function warningsOf(spec: TopicSpec, found: FoundTopic): readonly string[] {
  const { topic, partitions, replicationFactor } = spec;
  return [
    ...(found.partitions === partitions
      ? []
      : [
          `${topic} has ${found.partitions} partitions instead of ${partitions}: left as it is, for keys would land elsewhere than their earlier records`,
        ]),
    ...(found.replicationFactor >= replicationFactor
      ? []
      : [
          `${topic} has ${found.replicationFactor} copies instead of ${replicationFactor}: left as it is; move it with kafka-reassign-partitions`,
        ]),
  ];
}

/** Reads the cluster and lets the broker judge what would be asked of it. Throws CON013 where it refuses. */
export async function planTopics(admin: Admin, manifest: readonly TopicSpec[]): Promise<TopicPlan> {
  const existing = new Set(await admin.listTopics());
  const present = manifest.map(({ topic }) => topic).filter((topic) => existing.has(topic));
  const plan = compareTopics(manifest, await findTopics(admin, present));
  await request(admin, plan, true);
  return plan;
}

/** Does what the plan says; resolves once the brokers tell the changed settings too, which the controller knows first. */
export async function applyTopics(admin: Admin, plan: TopicPlan): Promise<void> {
  await request(admin, plan, false);
  const deadline = Date.now() + SPREAD_LIMIT_MS;
  while (!(await isSpread(admin, plan)) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function isSpread(admin: Admin, { toAlter }: TopicPlan): Promise<boolean> {
  const found = await findTopics(
    admin,
    toAlter.map(({ topic }) => topic),
  );
  return toAlter.every(({ topic, config }) =>
    Object.entries(config).every(([key, value]) => found.get(topic)?.config.get(key) === value),
  );
}

async function request(admin: Admin, plan: TopicPlan, validateOnly: boolean): Promise<void> {
  const { toCreate, toAlter } = plan;
  const entriesOf = (config: Readonly<Record<string, string>>) =>
    Object.entries(config).map(([name, value]) => ({ name, value }));
  try {
    if (toCreate.length > 0) {
      await admin.createTopics({
        validateOnly,
        waitForLeaders: !validateOnly,
        topics: toCreate.map(({ topic, partitions, replicationFactor, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries: entriesOf(config),
        })),
      });
    }
    if (toAlter.length > 0) {
      await admin.alterConfigs({
        validateOnly,
        resources: toAlter.map(({ topic, config }) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: entriesOf(config),
        })),
      });
    }
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

async function findTopics(admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, FoundTopic>> {
  if (topics.length === 0) return new Map();
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  const configOf = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(
        configEntries
          .filter((entry) => entry.configSource === kafkajs.ConfigSource.TOPIC_CONFIG)
          .map((entry) => [entry.configName, entry.configValue]),
      ),
    ]),
  );
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      {
        partitions: partitions.length,
        replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        config: configOf.get(name) ?? new Map<string, string>(),
      },
    ]),
  );
}

/** The protocol's names of refusals that no waiting heals, and what does. */
const MENDS: Readonly<Record<string, string>> = {
  INVALID_REPLICATION_FACTOR: 'lower topics.replication, or start more brokers',
  INVALID_PARTITIONS: 'mend topics.partitions and topics.largePartitions',
  INVALID_CONFIG: 'the broker does not know the setting or its value: it may be too old',
  POLICY_VIOLATION: 'the cluster’s policy forbids it: ask its operator',
  TOPIC_AUTHORIZATION_FAILED: 'grant kafka.saslUsername Create, Describe and AlterConfigs on the topics',
  CLUSTER_AUTHORIZATION_FAILED: 'grant kafka.saslUsername Create and Describe on the cluster',
};

function refusalOf(error: unknown): ConnectError | null {
  for (const { type, topic, message } of partsOf(error)) {
    const mend = type === undefined ? undefined : MENDS[type];
    if (mend === undefined) continue;
    const what = topic === undefined ? 'the topics' : `topic ${topic}`;
    return new ConnectError(
      CONNECT_ERRORS.topicRefused,
      `the broker refuses ${what} (${type}: ${message}): ${mend}`,
      { cause: error },
    );
  }
  return null;
}

interface RefusalPart {
  readonly type?: string;
  readonly topic?: string;
  readonly message: string;
}

/** kafkajs puts the errors of several topics into one. */
function partsOf(error: unknown): readonly RefusalPart[] {
  if (!(error instanceof Error)) return [];
  const parts = 'errors' in error && Array.isArray(error.errors) ? (error.errors as RefusalPart[]) : [];
  return [error, ...parts];
}
