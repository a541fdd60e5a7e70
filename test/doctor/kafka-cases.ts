/** Topics, positions, groups and the registry made ill, one thing at a time. */
import type { ConsumerGroup, PartitionPosition, Topic } from '../../src/doctor/judge/evidence-kafka.ts';
import type { RegistrySubject } from '../../src/doctor/judge/evidence-registry.ts';
import type { Case } from '../support/doctor-evidence.ts';

/** The first topic with these fields. */
const samples = (change: (topic: Topic) => Topic) => ({
  kafkaTopics: ([first, ...others]: readonly Topic[]) => [change(first as Topic), ...others],
});

const every = (fields: Partial<Topic['partitions'][number]>) =>
  samples((topic) => ({ ...topic, partitions: topic.partitions.map((one) => ({ ...one, ...fields })) }));

const set = (config: Readonly<Record<string, string>>) =>
  samples((topic) => ({ ...topic, config: { ...topic.config, ...config } }));

const position = (fields: Partial<PartitionPosition>) => ({
  kafkaPositions: (well: readonly PartitionPosition[]) => well.map((one) => ({ ...one, ...fields })),
});

const UNREAD = { away: true, longAway: false, halfRetention: false, retention: false };

const ingest = (fields: Partial<ConsumerGroup>) => ({
  kafkaGroups: ([first, ...others]: readonly ConsumerGroup[]) => [
    { ...(first as ConsumerGroup), ...fields },
    ...others,
  ],
});

const subject = (fields: Partial<RegistrySubject>) => ({
  registrySubjects: ([first, ...others]: readonly RegistrySubject[]) => [
    { ...(first as RegistrySubject), ...fields },
    ...others,
  ],
});

export const KAFKA_CASES: readonly Case[] = [
  {
    what: 'a missing topic',
    check: 'topics',
    changes: samples((topic) => ({ ...topic, partitions: [] })),
    finds: [/^critical topics: 1 are not there: farm\.public\.batch_growthsample/],
    mend: /topics apply/,
  },
  {
    what: 'another number of partitions',
    check: 'topics',
    changes: samples((topic) => ({ ...topic, partitions: topic.partitions.slice(1) })),
    finds: [/^warning farm\.public\.batch_growthsample: 1 partitions instead of 2/],
  },

  {
    what: 'fewer copies than set',
    check: 'topic-replication',
    changes: every({ replicas: 2, inSync: 2 }),
    finds: [/^warning topics: fewer copies.*\(2\)/, /^warning .*min\.insync\.replicas is 2 with 2 copies/],
  },
  {
    what: 'single copies on one broker',
    check: 'topic-replication',
    changes: {
      kafkaCluster: { brokers: 1 },
      kafkaTopics: (well) =>
        well.map((topic) => ({
          ...topic,
          partitions: topic.partitions.map((one) => ({ ...one, replicas: 1, inSync: 1 })),
        })),
      context: (well) => ({
        ...well,
        kafka: { topics: well.kafka.topics.map((topic) => ({ ...topic, replicationFactor: 1 })) },
      }),
    },
    finds: [/^info topics: one copy of each of 2 topics/],
  },
  {
    what: 'single copies on three brokers',
    check: 'topic-replication',
    changes: {
      kafkaTopics: (well) =>
        well.map((topic) => ({
          ...topic,
          partitions: topic.partitions.map((one) => ({ ...one, replicas: 1, inSync: 1 })),
        })),
      context: (well) => ({
        ...well,
        kafka: { topics: well.kafka.topics.map((topic) => ({ ...topic, replicationFactor: 1 })) },
      }),
    },
    finds: [/^warning topics: one copy/],
  },
  {
    what: 'a copy that is behind',
    check: 'topic-replication',
    changes: every({ inSync: 2 }),
    finds: [/^warning .*2 of 2 partitions have copies that are behind/],
  },
  {
    what: 'fewer copies in sync than a write needs',
    check: 'topic-replication',
    changes: every({ inSync: 1 }),
    finds: [/^critical .*2 partitions cannot be written/],
  },
  {
    what: 'no leader',
    check: 'topic-replication',
    changes: every({ leader: -1 }),
    finds: [/^critical .*cannot be written/],
  },
  {
    what: 'one acknowledgement with three copies',
    check: 'topic-replication',
    changes: set({ 'min.insync.replicas': '1' }),
    finds: [/^warning .*min\.insync\.replicas is 1 with 3 copies/],
    breaks: /lost/,
  },
  {
    what: 'all copies needed',
    check: 'topic-replication',
    changes: set({ 'min.insync.replicas': '3' }),
    finds: [/^warning .*min\.insync\.replicas is 3/],
    breaks: /single broker away/,
  },

  {
    what: 'a change topic that deletes by age',
    check: 'topic-config',
    changes: set({ 'cleanup.policy': 'delete' }),
    finds: [/^critical farm\.public\.batch_growthsample: cleanup\.policy is delete instead of compact/],
    breaks: /lost/,
  },
  {
    what: 'deletes kept for too short a time',
    check: 'topic-config',
    changes: set({ 'delete.retention.ms': '86400000' }),
    finds: [/^warning .*delete\.retention\.ms is 24 h instead of 30 d/],
  },
  {
    what: 'deletes kept for longer, or for ever',
    check: 'topic-config',
    changes: set({ 'delete.retention.ms': '-1' }),
    finds: [/^info .*delete\.retention\.ms is -1/],
  },

  {
    what: 'records gone before they were read',
    check: 'positions',
    changes: position({ low: 8n, next: 3n }),
    finds: [/^critical positions: .*farm\.public\.batch_growthsample\/0 \(at 3, the log begins at 8\)/],
    breaks: /KAF003/,
    mend: /anchorline resnapshot --table batch_growthsample/,
  },
  {
    what: 'a topic that was made anew',
    check: 'positions',
    changes: position({ next: 99n }),
    finds: [/^critical positions: .*\(at 99, the log ends at 10\)/],
    breaks: /KAF002/,
  },
  {
    what: 'a partition that was never read, in a log that was cut',
    check: 'positions',
    changes: position({ low: 8n, next: null }),
    finds: [],
  },

  {
    what: 'records unread for longer than deletes are kept',
    check: 'retention',
    changes: position({
      next: 3n,
      unread: { ...UNREAD, longAway: true, halfRetention: true, retention: true },
    }),
    finds: [/^critical retention: .*\(30 d\)/],
    breaks: /silently/,
  },
  {
    what: 'a partition that was behind for too long, and has caught up since',
    check: 'retention',
    changes: position({ doubt: true }),
    finds: [/^critical retention: .*batch_growthsample\/0/],
    mend: /^anchorline resnapshot --table batch_growthsample$/,
  },
  {
    what: 'records unread for half of that time',
    check: 'retention',
    changes: position({ next: 3n, unread: { ...UNREAD, longAway: true, halfRetention: true } }),
    finds: [/^warning retention: /],
  },

  {
    what: 'records unread for a while',
    check: 'ingest-lag',
    changes: position({ next: 3n, unread: UNREAD }),
    finds: [/^warning ingest: 7 records unread, some for longer than 10 min/],
  },
  {
    what: 'records unread for long',
    check: 'ingest-lag',
    changes: position({ next: null, unread: { ...UNREAD, longAway: true } }),
    finds: [/^critical ingest: 10 records unread/],
  },
  {
    what: 'records that just came',
    check: 'ingest-lag',
    changes: position({ next: 3n, unread: { ...UNREAD, away: false } }),
    finds: [],
  },

  {
    what: 'nobody who ingests',
    check: 'consumer-groups',
    changes: ingest({ members: 0, state: 'Empty', lag: 42 }),
    finds: [/^critical group anchorline-ingest: no member \(Empty\), 42 records behind/],
    mend: /run --roles ingest/,
  },
  {
    what: 'a group that never was',
    check: 'consumer-groups',
    changes: ingest({ members: 0, state: 'Dead', lag: null }),
    finds: [/^critical .*no offset committed/],
  },
  {
    what: 'a rebalance',
    check: 'consumer-groups',
    changes: ingest({ state: 'PreparingRebalance' }),
    finds: [/^info .*PreparingRebalance/],
  },
  {
    what: 'more members than partitions',
    check: 'consumer-groups',
    changes: ingest({ members: 14 }),
    finds: [/^info .*members: 14, partitions: 12/],
  },

  {
    what: 'a registry that takes nothing new',
    check: 'registry-mode',
    changes: { registryServer: { mode: 'READONLY' } },
    finds: [/^warning registry: its mode is READONLY/],
  },
  {
    what: 'another level of compatibility',
    check: 'registry-compatibility',
    changes: subject({ level: 'BACKWARD' }),
    finds: [/^warning anchorline\.daily-state-key: its compatibility is BACKWARD/],
    mend: /PUT \/config\/anchorline\.daily-state-key/,
  },
  {
    what: 'a subject that is not registered yet',
    check: 'registry-compatibility',
    changes: subject({ level: null, versions: 0 }),
    finds: [],
  },
  {
    what: 'a schema that does not fit what is registered',
    check: 'registry-schemas',
    changes: subject({ registered: false, compatible: false }),
    finds: [/^critical anchorline\.daily-state-key: .*not compatible/],
    breaks: /REG002/,
  },
  {
    what: 'a schema that is not registered yet',
    check: 'registry-schemas',
    changes: subject({ registered: false, compatible: null, versions: 0 }),
    finds: [/^info anchorline\.daily-state-key/],
  },
  {
    what: 'a registry that lost its data',
    check: 'registry-schemas',
    changes: { kafkaBeat: { schemaKnown: false } },
    finds: [/^critical schemas of records: the registry does not know schema 7/],
    mend: /dead-letters replay --code REC002/,
  },
];
