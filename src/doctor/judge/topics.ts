/** The topics as they are against what `topics apply` makes. */
import { inTime } from '../../domain/quantities.ts';
import { critical, info, ok, some, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { Topic } from './evidence-kafka.ts';
import type { Context, TopicExpectation } from './context.ts';
import { need } from './judge.ts';

const TOPICS = 'topics';

interface Pair {
  readonly found: Topic;
  readonly wanted: TopicExpectation;
}

function pairs(topics: readonly Topic[], { kafka }: Context): readonly Pair[] {
  const byName = new Map(topics.map((topic) => [topic.topic, topic]));
  return kafka.topics.flatMap((wanted) => {
    const found = byName.get(wanted.topic);
    return found === undefined || found.partitions.length === 0 ? [] : [{ found, wanted }];
  });
}

export const topics = need(['kafkaTopics'], TOPICS, ({ kafkaTopics }, context) => {
  const present = pairs(kafkaTopics, context);
  const there = new Set(present.map(({ wanted }) => wanted.topic));
  const missing = context.kafka.topics.map(({ topic }) => topic).filter((topic) => !there.has(topic));
  const drafts: Draft[] = [];
  if (missing.length > 0) {
    drafts.push(
      critical({
        subject: TOPICS,
        evidence: `${missing.length} are not there: ${some(missing)}`,
        measured: { missing: missing.length },
        consequence:
          'Who writes to one fails or, worse, makes it with the broker’s defaults: one partition, and records that are deleted.',
        mend: 'Run `anchorline topics apply`.',
      }),
    );
  }
  for (const { found, wanted } of present) {
    const has = found.partitions.length;
    if (has === wanted.partitions) continue;
    drafts.push(
      warning({
        subject: wanted.topic,
        evidence: `${has} partitions instead of ${wanted.partitions}`,
        measured: { partitions: has, wanted: wanted.partitions },
        consequence:
          'If they were added later, a key’s older records lie elsewhere than its newer ones and may be read after ' +
          'them; fewer limit how many processes can share the work.',
        mend: 'Set topics.partitions or topics.largePartitions to what is there, or make the topic anew and run `anchorline resnapshot`.',
      }),
    );
  }
  return drafts.length > 0
    ? drafts
    : [ok(TOPICS, `${present.length} topics as they should be`, { topics: present.length })];
});

export const topicReplication = need(['kafkaTopics', 'kafkaCluster'], TOPICS, (evidence, context) => {
  const { brokers } = evidence.kafkaCluster;
  const present = pairs(evidence.kafkaTopics, context);
  const drafts = [
    ...copies(present, brokers),
    ...present.flatMap(({ found }) => outOfSync(found)),
    ...acknowledged(present),
  ];
  if (drafts.length > 0) return drafts;
  return [ok(TOPICS, `every copy is in sync, brokers: ${brokers}`, { brokers })];
});

function copies(present: readonly Pair[], brokers: number): readonly Draft[] {
  const fewer = present.filter(({ found, wanted }) => replicasOf(found) < wanted.replicationFactor);
  const single = present.filter(
    ({ found, wanted }) => replicasOf(found) === 1 && wanted.replicationFactor === 1,
  );
  const drafts: Draft[] = [];
  if (fewer.length > 0) {
    drafts.push(
      warning({
        subject: TOPICS,
        evidence: `fewer copies than topics.replication in ${some(fewer.map(({ found }) => `${found.topic} (${replicasOf(found)})`))}`,
        measured: { topics: fewer.length },
        consequence: 'They are lost, or out of reach, with fewer brokers than planned for.',
        mend: 'Move them by kafka-reassign-partitions.sh; `topics apply` does not.',
      }),
    );
  }
  if (single.length > 0) {
    const about = {
      subject: TOPICS,
      evidence: `one copy of each of ${single.length} topics, brokers: ${brokers}`,
      measured: { topics: single.length, brokers },
      consequence: 'With the broker that holds it a topic is out of reach; with its disk it is lost.',
      mend: 'With three brokers: topics.replication = 3, then kafka-reassign-partitions.sh for the topics that exist.',
    };
    drafts.push(brokers > 1 ? warning(about) : info(about));
  }
  return drafts;
}

function replicasOf({ partitions }: Topic): number {
  return Math.min(...partitions.map(({ replicas }) => replicas));
}

function outOfSync({ topic, partitions, config }: Topic): readonly Draft[] {
  const least = Number(config['min.insync.replicas'] ?? 1);
  const leaderless = partitions.filter(({ leader }) => leader < 0);
  const short = partitions.filter(
    ({ leader, inSync, replicas }) => leader >= 0 && inSync < Math.min(least, replicas),
  );
  const behind = partitions.filter(({ inSync, replicas }) => inSync < replicas);
  const mend = 'Bring the missing brokers back, and look at their disks and logs.';
  if (leaderless.length > 0 || short.length > 0) {
    const found = [...leaderless, ...short];
    return [
      critical({
        subject: topic,
        evidence: `${found.length} partitions cannot be written: no leader, or fewer than ${least} copies in sync`,
        measured: { leaderless: leaderless.length, short: short.length, minInSync: least },
        consequence: 'Whoever writes to them waits; the connector fails once its tries are used up.',
        mend,
      }),
    ];
  }
  if (behind.length === 0) return [];
  return [
    warning({
      subject: topic,
      evidence: `${behind.length} of ${partitions.length} partitions have copies that are behind`,
      measured: { behind: behind.length },
      consequence: 'One more broker away, and they can no longer be written or are lost.',
      mend,
    }),
  ];
}

/** With several copies: one acknowledgement is too few, all of them is one too many. */
function acknowledged(present: readonly Pair[]): readonly Draft[] {
  return present.flatMap(({ found }) => {
    const replicas = replicasOf(found);
    const least = Number(found.config['min.insync.replicas'] ?? 1);
    if (replicas === 1 || (least > 1 && least < replicas) || (replicas === 2 && least === 1)) return [];
    return [
      warning({
        subject: found.topic,
        evidence: `min.insync.replicas is ${least} with ${replicas} copies`,
        measured: { minInSync: least, replicas },
        consequence:
          least === 1
            ? 'A record counts as written with one copy: it is lost with that broker’s disk.'
            : 'With a single broker away nothing can be written.',
        mend: `kafka-configs.sh --alter --entity-type topics --entity-name ${found.topic} --add-config min.insync.replicas=${replicas - 1}`,
      }),
    ];
  });
}

export const topicConfig = need(['kafkaTopics'], TOPICS, ({ kafkaTopics }, context) => {
  const present = pairs(kafkaTopics, context);
  const drafts = present.flatMap(({ found, wanted }) =>
    Object.entries(wanted.config).flatMap(([name, value]) => {
      const has = found.config[name];
      return has === undefined || has === value ? [] : [configDiffers(found.topic, name, has, value)];
    }),
  );
  return drafts.length > 0 ? drafts : [ok(TOPICS, `cleanup and retention of ${present.length} are right`)];
});

function configDiffers(topic: string, name: string, has: string, wanted: string): Draft {
  const about = {
    subject: topic,
    evidence: `${name} is ${shown(name, has)} instead of ${shown(name, wanted)}`,
    measured: { [name]: has, wanted },
    mend: 'Run `anchorline topics apply`.',
  };
  if (name === 'cleanup.policy') {
    return critical({
      ...about,
      consequence: wanted.includes('compact')
        ? 'Records are deleted by age: a new schema can no longer be filled from the topic, and what was not read is lost.'
        : 'Records are kept by key instead of by age: the topic grows, and what it is for does not work.',
    });
  }
  const [now, then] = [lasting(has), lasting(wanted)];
  if (Number.isNaN(now) || Number.isNaN(then)) {
    return warning({ ...about, consequence: 'It does not behave as Anchorline takes for granted.' });
  }
  return now < then
    ? warning({
        ...about,
        consequence: `Who is away for longer than ${inTime(now)} misses what is removed meanwhile.`,
      })
    : info({ ...about, consequence: 'Nothing breaks by it; the topic takes more room.' });
}

/** −1 is for ever. */
function lasting(text: string): number {
  const value = Number(text);
  return value === -1 ? Number.POSITIVE_INFINITY : value;
}

function shown(name: string, value: string): string {
  return name.endsWith('.ms') && Number(value) > 0 ? inTime(Number(value)) : value;
}
