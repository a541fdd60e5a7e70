/**
 * A whole installation made ill, one piece after the other, and what `anchorline doctor` says of it. What a database
 * alone can show is in source-probes.db.test.ts and store-probes.db.test.ts.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { ConnectClient } from '../../src/connect/client.ts';
import type { Finding } from '../../src/doctor/judge/finding.ts';
import {
  changeTopic,
  dailyStateTopic,
  deadLetterTopic,
  plannerTriggersTopic,
} from '../../src/domain/topics.ts';
import { EXIT } from '../../src/runtime/exit-codes.ts';
import { troubles } from '../support/doctor-evidence.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { Pipeline } from '../support/pipeline.ts';
import { endpointsOf } from '../support/stack-provider.ts';

let farm: Pipeline;
let connect: ConnectClient;
let samples: string;

beforeAll(async () => {
  farm = await Pipeline.open({
    endpoints: endpointsOf(inject('stack')),
    name: 'doctor',
    generation: 'newer',
    horizon: FARM_HORIZON,
  });
  connect = new ConnectClient(farm.endpoints.connectUrl);
  samples = changeTopic(farm.config.topics.prefix, 'batch_growthsample');
  await farm.write(farmRows('newer'));
  await farm.deploy();
  await farm.start();
  await farm.settled();
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
});

interface Examined {
  readonly status: number;
  readonly stderr: string;
  readonly stdout: string;
  readonly findings: readonly Finding[];
  /** Everything that is not well: `severity subject: evidence`. */
  readonly ill: readonly string[];
}

async function doctor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Examined> {
  const ended = await farm.cli(['doctor', '--json', '--interval', '0.2', ...args], env);
  const { findings } = JSON.parse(ended.stdout) as { findings: Finding[] };
  return { ...ended, findings, ill: troubles(findings) };
}

const only = async (checks: string, env?: Readonly<Record<string, string>>) =>
  (await doctor(['--only', checks], env)).ill;

/** Resolves once the check says this. */
async function says(check: string, what: RegExp, env?: Readonly<Record<string, string>>): Promise<void> {
  await eventually(`${check} says ${what}`, 60_000, async () =>
    (await only(check, env)).some((text) => what.test(text)),
  );
}

/** Resolves once the checks find nothing. */
async function well(checks: string): Promise<void> {
  await eventually(`${checks} are well`, 60_000, async () => (await only(checks)).length === 0);
}

/** What a single machine's stack cannot be without. */
const OF_THE_STACK = 'slot-wal-limit,slot-failover,topic-replication,store-role,queue-fill';

test('an installation that runs is well but for what a stack of one machine lacks', async () => {
  // The first beat comes after the snapshot.
  await well('heartbeat,clock,registry-schemas');
  const { ill, findings, status, stderr, stdout } = await doctor([]);
  expect(ill).toEqual([
    expect.stringMatching(/^warning max_slot_wal_keep_size: unlimited/),
    expect.stringMatching(/^info slot \w+: failover is off/),
    expect.stringMatching(/^unknown the connector’s queue: .*the slot is .* behind/),
    expect.stringMatching(/^info topics: one copy of each/),
    expect.stringMatching(/^warning role postgres: .*superuser/),
  ]);
  expect(status).toBe(EXIT.doctorWarning);
  expect(findings.find(({ subject }) => subject === 'the brokers’ clock')?.severity).toBe('ok');
  expect(stderr).toMatch(/^seen +kafkaBeat, \d+ ms$/m);
  expect(stdout + stderr).not.toContain(farm.config.source.password);
  expect((await doctor(['--except', OF_THE_STACK])).status).toBe(EXIT.ok);
  expect((await doctor(['--only', 'queue-fill'])).status).toBe(EXIT.doctorUnknown);
});

test('the queue is read where an exporter tells it', async () => {
  const { prefix } = farm.config.topics;
  const line = (name: string, value: number) =>
    `debezium_metrics_${name}{context="streaming",name="${prefix}",plugin="postgres",} ${value}\n`;
  const server = createServer((_, response) => {
    response.end(line('QueueTotalCapacity', 16_384) + line('QueueRemainingCapacity', 1_000));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const env = {
      ANCHORLINE_CONNECT_METRICS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    };
    expect(await only('queue-fill', env)).toEqual([
      expect.stringMatching(/^critical the connector’s queue: 94 % full \(15384 of 16384\)/),
    ]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a part that does not answer hides no other', async () => {
  const { findings, status } = await doctor(['--only', 'reach,topics,store-migrations,tasks'], {
    ANCHORLINE_KAFKA_BROKERS: '127.0.0.1:1',
  });
  expect(status).toBe(EXIT.doctorCritical);
  const severityOf = (check: string, subject: RegExp) =>
    findings.find((finding) => finding.check === check && subject.test(finding.subject))?.severity;
  expect(severityOf('reach', /^Kafka$/)).toBe('critical');
  expect(severityOf('reach', /^Kafka Connect$/)).toBe('ok');
  expect(severityOf('topics', /./)).toBe('unknown');
  expect(severityOf('store-migrations', /./)).toBe('ok');
  expect(severityOf('tasks', /./)).toBe('ok');
});

test('topics are missing, of another number of partitions, and kept otherwise', async () => {
  const { admin } = farm.lab;
  const { namespace } = farm.config.topics;
  await admin.deleteTopics({ topics: [deadLetterTopic(namespace)] });
  await admin.createPartitions({
    topicPartitions: [{ topic: plannerTriggersTopic(namespace), count: 3 }],
  });
  await setConfig(samples, {
    'cleanup.policy': 'delete',
    'delete.retention.ms': '86400000',
    'max.message.bytes': '67108864',
  });
  await says('topics', /1 are not there/);
  expect(await only('topics,topic-config')).toEqual([
    expect.stringMatching(/^critical topics: 1 are not there: \w+\.dead-letter$/),
    expect.stringMatching(/^warning \w+\.planner-triggers: 3 partitions instead of 1/),
    expect.stringMatching(/^critical .*batch_growthsample: cleanup\.policy is delete instead of compact/),
    expect.stringMatching(/^warning .*batch_growthsample: delete\.retention\.ms is 24 h instead of 30 d/),
  ]);
  await farm.cli(['topics', 'apply']);
  expect(await only('topic-config')).toEqual([]);
});

test('the registry holds another level, and versions that ours does not fit', async () => {
  const registry = farm.config.registry.url;
  const put = async (route: string, method: string, body: object): Promise<void> => {
    const response = await fetch(`${registry}${route}`, {
      method,
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify(body),
    });
    expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
  };
  const subject = `${dailyStateTopic(farm.config.topics.namespace)}-value`;
  await put(`/config/${subject}`, 'PUT', { compatibility: 'BACKWARD' });
  expect(await only('registry-compatibility,registry-schemas')).toEqual([
    expect.stringMatching(/^warning \w+\.daily-state-value: its compatibility is BACKWARD/),
  ]);
  await put(`/config/${subject}`, 'PUT', { compatibility: 'FULL_TRANSITIVE' });

  // Another installation's, in which somebody else has registered first.
  const namespace = `${farm.name}_other`;
  const taken = `${dailyStateTopic(namespace)}-value`;
  await put(`/subjects/${taken}/versions`, 'POST', { schema: '"string"' });
  await put(`/config/${taken}`, 'PUT', { compatibility: 'FULL_TRANSITIVE' });
  expect(await only('registry-schemas', { ANCHORLINE_TOPICS_NAMESPACE: namespace })).toEqual([
    expect.stringMatching(/^info \w+\.daily-state-key: .*0 versions/),
    expect.stringMatching(/^critical \w+\.daily-state-value: .*not compatible/),
  ]);
});

test('the connector is deployed otherwise than its files say', async () => {
  const name = farm.config.connect.connector;
  const before = await connect.config(name);
  await connect.apply({
    name,
    config: {
      ...before,
      'heartbeat.interval.ms': '0',
      'offset.mismatch.strategy': 'no_validation',
      'signal.enabled.channels': 'file',
    },
  });
  const found = await only('connector-drift,heartbeat,signal,offset-mismatch');
  expect(found).toContainEqual(
    expect.stringMatching(/^warning connector \w+: 3 keys differ .*heartbeat\.interval\.ms: 0 → 1000/),
  );
  expect(found).toContainEqual(expect.stringMatching(/^critical connector \w+: heartbeats are off/));
  expect(found).toContainEqual(expect.stringMatching(/^warning connector \w+: it listens to .* over file/));
  expect(found).toContainEqual(
    expect.stringMatching(/^warning connector \w+: offset\.mismatch\.strategy is no_validation/),
  );
  // … and by and by the beats are missed.
  await says('heartbeat', /^(warning|critical) anchorline\.heartbeat: the last beat is/);
  expect((await farm.cli(['connectors', 'apply'])).status).toBe(0);
  await well('tasks');
  expect(await only('connector-drift,offset-mismatch,signal')).toEqual([]);
});

test('nobody ingests, nobody leads, and what comes lies unread', async () => {
  await Promise.all(farm.running.map((process) => process.stop()));
  await farm.write(`insert into batch_growthsample values (77, 5, '2024-03-02', 25, 41.10, 1, 1.2)`);
  const hasty = { ANCHORLINE_DOCTOR_AWAY_MS: '100' };
  await says(
    'ingest-lag',
    /^(warning|critical) ingest: \d+ records unread, some for longer than 100 ms: .*batch_growthsample/,
    hasty,
  );
  expect(await only('consumer-groups,leases')).toEqual([
    expect.stringMatching(/^critical group \w+-ingest: no member/),
    expect.stringMatching(/^critical group \w+-recompute: no member/),
    expect.stringMatching(/^critical lease publish-0/),
    expect.stringMatching(/^warning lease scheduler/),
    expect.stringMatching(/^warning lease supervisor/),
  ]);
  // A millisecond stands for the thirty days: what is unread outlasts it.
  await setConfig(samples, { 'cleanup.policy': 'compact', 'delete.retention.ms': '1' });
  await says(
    'retention',
    /^critical retention: unread for longer than deletes are kept .*batch_growthsample/,
  );
  expect(await only('positions')).toEqual([]);
});

test('positions lie outside their logs', async () => {
  await setConfig(samples, { 'cleanup.policy': 'delete', 'segment.ms': '60000' });
  const ends = await farm.lab.admin.fetchTopicOffsets(samples);
  const unread = ends.filter(({ high }) => BigInt(high) > 0n);
  await farm.inStore(`update position set next_offset = 1 where topic = $1`, [samples]);
  await farm.lab.admin.deleteTopicRecords({
    topic: samples,
    partitions: unread.map(({ partition, high }) => ({ partition, offset: high })),
  });
  const table = changeTopic(farm.config.topics.prefix, 'batch_batch');
  await farm.inStore(`update position set next_offset = 999999 where topic = $1`, [table]);
  const { findings } = await doctor(['--only', 'positions']);
  expect(troubles(findings)).toEqual([
    expect.stringMatching(/^critical positions: records not read yet are gone from .*batch_growthsample/),
    expect.stringMatching(
      /^critical positions: the log ends before the position in .*batch_batch\/0 \(at 999999/,
    ),
  ]);
  expect(findings.map(({ mend }) => mend)).toEqual([
    expect.stringContaining('anchorline resnapshot --table batch_growthsample'),
    expect.stringContaining('anchorline resnapshot --table batch_batch'),
  ]);
});

test('the slot is gone: the task says so, and nothing is captured', async () => {
  const name = farm.config.connect.connector;
  await connect.stop(name, 30_000);
  expect(await only('tasks')).toEqual([expect.stringMatching(/^warning connector \w+: STOPPED/)]);
  await says('slot', /^critical slot \w+: nobody reads it/);
  await farm.source.query('select pg_drop_replication_slot($1)', [farm.config.source.slot]);
  await connect.resume(name);
  await says('tasks', /^critical connector \w+, task 0: FAILED on .*: .+/);
  const { findings, status } = await doctor(['--only', 'slot']);
  expect(status).toBe(EXIT.doctorCritical);
  expect(findings).toEqual([
    expect.objectContaining({
      severity: 'critical',
      mend: expect.stringContaining('resnapshot --all --new-slot'),
    }),
  ]);
  // In words, as people read it at night.
  const told = await farm.cli(['doctor', '--only', 'slot', '--interval', '0.1']);
  expect(told.stdout).toMatch(
    /^CRITICAL {2}slot {2}slot \w+\n {10}the source has no slot of this name\n {2}breaks {2}.*\n {2}mend {4}.*\n\ncritical: 1 critical, /,
  );
});

/** Replaces the topic's own settings. */
async function setConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
  await farm.lab.admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      },
    ],
  });
}
