/** Looks at the brokers: topics, positions in their logs, consumer groups. */
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';

import type { Clock } from '../../domain/ports.ts';
import type {
  ConsumerGroup,
  KafkaCluster,
  PartitionPosition,
  Topic,
  Unread,
} from '../judge/evidence-kafka.ts';
import type { Probes } from '../probe.ts';
import { newestBeat } from './beat.ts';
import type { BeatTarget } from './beat.ts';

export interface StoredPosition {
  readonly next: bigint;
  readonly doubt: boolean;
}

interface ChangeTopic {
  readonly topic: string;
  readonly table: string;
}

export interface KafkaTarget {
  /** Connected at the first look, by whoever comes first. */
  readonly admin: () => Promise<Admin>;
  readonly address: string;
  readonly topics: readonly string[];
  readonly changeTopics: readonly ChangeTopic[];
  /** How far ingest has read, by the state store. */
  readonly positions: () => Promise<ReadonlyMap<string, StoredPosition>>;
  readonly groups: readonly {
    readonly role: ConsumerGroup['role'];
    readonly group: string;
    readonly topics: readonly string[];
  }[];
  readonly awayMs: number;
  readonly clock: Clock;
  readonly beat: BeatTarget;
}

export type KafkaProbes = Pick<
  Probes,
  'kafkaCluster' | 'kafkaTopics' | 'kafkaPositions' | 'kafkaGroups' | 'kafkaBeat'
>;

export function kafkaProbes(target: KafkaTarget): KafkaProbes {
  const at = {
    target: `Kafka (${target.address})`,
    mend: 'Start Kafka, or check kafka.brokers and its login.',
  };
  return {
    kafkaCluster: { ...at, look: () => cluster(target) },
    kafkaTopics: { ...at, look: async () => topicsOf(await target.admin(), target.topics) },
    kafkaPositions: {
      target: `Kafka (${target.address}) and the state store’s positions`,
      mend: 'Start Kafka and the state store, or check kafka.brokers and store.url.',
      look: () => positionsOf(target),
    },
    kafkaGroups: { ...at, look: () => groupsOf(target) },
    kafkaBeat: {
      ...at,
      target: `the newest heartbeat in Kafka (${target.address})`,
      look: (signal) => newestBeat(target.beat, target.admin, signal),
    },
  };
}

async function cluster({ admin, clock }: KafkaTarget): Promise<KafkaCluster> {
  const began = clock.nowMs();
  const { clusterId, brokers } = await (await admin()).describeCluster();
  return { clusterId, brokers: brokers.length, tookMs: clock.nowMs() - began };
}

/** What is not there is handed back without partitions. */
async function topicsOf(admin: Admin, wanted: readonly string[]): Promise<readonly Topic[]> {
  const present = await existing(admin, wanted);
  if (present.length === 0) return wanted.map((topic) => ({ topic, partitions: [], config: {} }));
  const [metadata, configOf] = await Promise.all([
    admin.fetchTopicMetadata({ topics: present }),
    configsOf(admin, present),
  ]);
  const partitionsOf = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions]));
  return wanted.map((topic) => ({
    topic,
    partitions: (partitionsOf.get(topic) ?? []).map(({ partitionId, leader, replicas, isr }) => ({
      partition: partitionId,
      leader,
      replicas: replicas.length,
      inSync: isr.length,
    })),
    config: configOf.get(topic) ?? {},
  }));
}

async function existing(admin: Admin, wanted: readonly string[]): Promise<string[]> {
  const there = new Set(await admin.listTopics());
  return wanted.filter((topic) => there.has(topic));
}

async function configsOf(
  admin: Admin,
  topics: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

async function positionsOf(target: KafkaTarget): Promise<readonly PartitionPosition[]> {
  const admin = await target.admin();
  const tableOf = new Map(target.changeTopics.map(({ topic, table }) => [topic, table]));
  const [present, stored] = await Promise.all([existing(admin, [...tableOf.keys()]), target.positions()]);
  if (present.length === 0) return [];
  const configOf = await configsOf(admin, present);
  const nowMs = target.clock.nowMs();
  const found = await Promise.all(
    present.map(async (topic) => {
      const retentionMs = retentionOf(configOf.get(topic) ?? {});
      const bounds = (await admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({
        topic,
        table: tableOf.get(topic) ?? topic,
        partition,
        low: BigInt(low),
        high: BigInt(high),
        next: stored.get(`${topic}/${partition}`)?.next ?? null,
        doubt: stored.get(`${topic}/${partition}`)?.doubt ?? false,
        retentionMs,
      }));
      // Quiet topics, nearly all, cost no further question.
      if (bounds.every((one) => firstUnread(one) >= one.high))
        return bounds.map((one) => ({ ...one, unread: null }));
      const olderThan = await ages(admin, topic, nowMs, target.awayMs, retentionMs);
      return bounds.map((one) => ({ ...one, unread: olderThan(one) }));
    }),
  );
  return found.flat();
}

type Bounds = Omit<PartitionPosition, 'unread'>;

function firstUnread({ next, low }: Bounds): bigint {
  return next === null || next < low ? low : next;
}

/** How long deletes are kept; null: for ever. */
function retentionOf(config: Readonly<Record<string, string>>): number | null {
  const compacted = (config['cleanup.policy'] ?? '').includes('compact');
  const value = Number(config[compacted ? 'delete.retention.ms' : 'retention.ms'] ?? -1);
  return value < 0 ? null : value;
}

/** Whether what is unread was written before certain times: the log finds offsets by time. */
async function ages(
  admin: Admin,
  topic: string,
  nowMs: number,
  awayMs: number,
  retentionMs: number | null,
): Promise<(at: Bounds) => Unread | null> {
  const before = async (ageMs: number | null) => {
    if (ageMs === null) return new Map<number, bigint>();
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, Math.floor(nowMs - ageMs)));
    return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
  };
  const half = retentionMs === null ? null : retentionMs / 2;
  const [away, longAway, halfRetention, retention] = await Promise.all(
    [awayMs, awayMs * LONG, half, retentionMs].map(before),
  );
  return (at) => {
    const first = firstUnread(at);
    if (first >= at.high) return null;
    const older = (offsets: ReadonlyMap<number, bigint> | undefined): boolean =>
      first < (offsets?.get(at.partition) ?? 0n);
    return {
      away: older(away),
      longAway: older(longAway),
      halfRetention: older(halfRetention),
      retention: older(retention),
    };
  };
}

const LONG = 10;

async function groupsOf({ admin: open, groups }: KafkaTarget): Promise<readonly ConsumerGroup[]> {
  const admin = await open();
  const described = await admin.describeGroups(groups.map(({ group }) => group));
  const stateOf = new Map(described.groups.map((one) => [one.groupId, one]));
  return Promise.all(
    groups.map(async ({ role, group, topics }) => {
      const present = await existing(admin, topics);
      const ends = new Map<string, bigint>();
      for (const topic of present) {
        for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
          ends.set(`${topic}/${partition}`, BigInt(high));
        }
      }
      const found = stateOf.get(group);
      return {
        role,
        group,
        state: found?.state ?? 'Dead',
        members: found?.members.length ?? 0,
        partitions: ends.size,
        lag: await lagOf(admin, group, present, ends),
      };
    }),
  );
}

async function lagOf(
  admin: Admin,
  groupId: string,
  topics: string[],
  ends: ReadonlyMap<string, bigint>,
): Promise<number | null> {
  if (topics.length === 0) return null;
  let lag: bigint | null = null;
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics })) {
    for (const { partition, offset } of partitions) {
      const committed = BigInt(offset);
      if (committed < 0n) continue;
      const behind = (ends.get(`${topic}/${partition}`) ?? committed) - committed;
      lag = (lag ?? 0n) + (behind > 0n ? behind : 0n);
    }
  }
  return lag === null ? null : Number(lag);
}
