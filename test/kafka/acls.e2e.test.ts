/** The ACLs of docs/security.md at a real authorizer: with all of them everything passes, and without each something is refused. */
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  CompressionTypes,
  ResourcePatternTypes,
} from 'kafkajs';
import type { AclEntry, Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { applyTopics, planTopics } from '../../src/connect/topic-plan.ts';
import { topicManifest } from '../../src/connect/topics.ts';
import {
  changeTopic,
  dailyStateTopic,
  deadLetterTopic,
  recomputeRequestsTopic,
} from '../../src/domain/topics.ts';
import { createKafka } from '../../src/kafka/client.ts';
import type { KafkaConnection } from '../../src/kafka/client.ts';
import { KafkaUnavailableError, isKafkaJsError } from '../../src/kafka/errors.ts';
import { ConsumerRunner } from '../../src/kafka/consumer-runner.ts';
import { KafkaDailyStateTopic } from '../../src/kafka/daily-state-topic.ts';
import { KafkaDeadLetterTopic } from '../../src/kafka/producers.ts';
import { ReplaceableProducer } from '../../src/kafka/replaceable-producer.ts';
import { readTopic } from '../../src/kafka/topic-reader.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { kafkaConnectionOf, topicSettingsOf } from '../../src/wiring.ts';
import { Certificates } from '../support/certificates.ts';
import { KafkaLab, silent } from '../support/kafka-lab.ts';
import { BROKER_USER, startSecureBroker } from '../support/secure-broker.ts';
import type { SecureBroker } from '../support/secure-broker.ts';

const PREFIX = 'farm';
const NAMESPACE = 'anchorline';
const FACTS = changeTopic(PREFIX, 'batch_batch');

let made: Certificates;
let broker: SecureBroker;
/** May do everything. */
let lab: KafkaLab;
let connection: KafkaConnection;

beforeAll(async () => {
  made = await Certificates.open();
  const authority = await made.authority();
  broker = await startSecureBroker(made, authority, { authorizer: true });
  const { username: saslUsername, password: saslPassword } = BROKER_USER;
  const kafka = { brokers: [broker.sasl], tls: true, tlsCaFile: authority.caFile, saslMechanism: 'plain', saslUsername, saslPassword }; // prettier-ignore
  const text = JSON.stringify({ kafka });
  connection = kafkaConnectionOf(loadConfig({ env: {}, file: 'settings', readFile: () => text }).config);
  lab = await KafkaLab.open([broker.plaintext]);
  const manifest = topicManifest({ ...topicSettingsOf(loadConfig({ env: {}, file: null, readFile: () => '' }).config), workPartitions: 1, largePartitions: 1 }); // prettier-ignore
  await applyTopics(lab.admin, await planTopics(lab.admin, manifest));
  await lab.send(FACTS, 0, ['a']);
  await lab.send(dailyStateTopic(NAMESPACE), 0, ['a']);
  await lab.send(recomputeRequestsTopic(NAMESPACE), 0, ['a']);
  await lab.admin.createAcls({ acl: ACLS.map(entryOf) });
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await made?.[Symbol.asyncDispose]();
});

interface Acl {
  readonly on: 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID';
  readonly prefix: string;
  readonly operation: keyof typeof AclOperationTypes;
}

/** As in docs/security.md; Delete of groups only tidies up. */
const ACLS: readonly Acl[] = [
  { on: 'TOPIC', prefix: 'farm.', operation: 'READ' },
  { on: 'TOPIC', prefix: 'farm.', operation: 'DESCRIBE_CONFIGS' },
  { on: 'TOPIC', prefix: '__debezium-heartbeat.farm', operation: 'READ' },
  { on: 'TOPIC', prefix: '__debezium-heartbeat.farm', operation: 'DESCRIBE_CONFIGS' },
  { on: 'TOPIC', prefix: 'farm.public.', operation: 'WRITE' },
  { on: 'TOPIC', prefix: 'anchorline.', operation: 'READ' },
  { on: 'TOPIC', prefix: 'anchorline.', operation: 'WRITE' },
  { on: 'TOPIC', prefix: 'anchorline.', operation: 'DESCRIBE_CONFIGS' },
  { on: 'GROUP', prefix: 'anchorline-', operation: 'READ' },
  { on: 'TRANSACTIONAL_ID', prefix: 'anchorline.publish.', operation: 'WRITE' },
  { on: 'TOPIC', prefix: 'anchorline.', operation: 'CREATE' },
  { on: 'TOPIC', prefix: 'anchorline.', operation: 'ALTER_CONFIGS' },
];

function entryOf({ on, prefix, operation }: Acl): AclEntry {
  return {
    resourceType: AclResourceTypes[on],
    resourceName: prefix,
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    principal: `User:${BROKER_USER.username}`,
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

function isNamed(error: unknown): boolean {
  return error instanceof Error && /ACLs|grant/.test(error.message);
}

/** Consumes the first record, or throws what the consumer ended with. */
async function consume(topic: string, role: string): Promise<void> {
  const stop = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const runner = new ConsumerRunner({
    connection,
    groupId: `${NAMESPACE}-${role}-${lab.name('member')}`,
    topics: [topic],
    positions: 'group',
    handleBatch: () => Promise.resolve(resolve()),
    onFatal: reject,
    log: silent,
    clock: systemClock,
    // A broker that has just begun loads its groups first.
    events: { restarting: (_reason, error) => isNamed(error) && reject(error) },
  });
  const running = runner.run(stop.signal);
  try {
    await promise;
  } finally {
    stop.abort();
    await running;
  }
}

async function write(topic: string): Promise<void> {
  const producer = new ReplaceableProducer({ connection, topic, log: silent });
  try {
    await producer.send([{ key: 'k', value: null }], -1, CompressionTypes.None);
  } finally {
    await producer.close();
  }
}

async function publish(): Promise<void> {
  const topic = new KafkaDailyStateTopic({
    connection,
    topic: dailyStateTopic(NAMESPACE),
    transactionalId: `${NAMESPACE}.publish.0`,
    encode: ({ day }) => ({ key: Buffer.from(String(day)), value: null }),
    log: silent,
  });
  try {
    await topic.open();
    const messages = [{ assignmentId: 1, day: 1, row: null }];
    await topic.publish([{ assignmentId: 1, sequences: [], messages, committedMs: null, decodedMs: null }]);
  } finally {
    await topic.close();
  }
}

async function setAside(): Promise<void> {
  const topic = new KafkaDeadLetterTopic({ connection, topic: deadLetterTopic(NAMESPACE), log: silent, version: 'test' }); // prettier-ignore
  const record = { topic: FACTS, partition: 0, offset: 0n, timestampMs: 0, key: null, value: null };
  try {
    await topic.send([{ record, rejection: { code: 'REC001', message: '' } }]);
  } finally {
    await topic.close();
  }
}

async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = createKafka(connection, silent).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function plan(): Promise<void> {
  const manifest = topicManifest({ prefix: PREFIX, namespace: NAMESPACE, replicationFactor: 1, largePartitions: 1, workPartitions: 1 }); // prettier-ignore
  try {
    await withAdmin((admin) => planTopics(admin, manifest));
  } catch (error) {
    // As the commands do it.
    throw isKafkaJsError(error) ? new KafkaUnavailableError('topics', error) : error;
  }
}

async function apply(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
  const wanted = [{ topic, partitions: 1, replicationFactor: 1, config }];
  await withAdmin(async (admin) => applyTopics(admin, await planTopics(admin, wanted)));
}

const DUTIES: Readonly<Record<string, () => Promise<void>>> = {
  ingest: () => consume(FACTS, 'ingest'),
  recompute: () => consume(recomputeRequestsTopic(NAMESPACE), 'recompute'),
  reconcile: () =>
    readTopic({ connection, log: silent, topic: dailyStateTopic(NAMESPACE), groupId: `${NAMESPACE}-reader`, tail: null, onRecords: () => undefined }), // prettier-ignore
  publish,
  setAside,
  resnapshot: () => write(FACTS),
  plan,
  create: () => apply(`${NAMESPACE}.${lab.name('new')}`, {}),
  alter: () => apply(deadLetterTopic(NAMESPACE), { 'retention.ms': String(Date.now()) }),
};

/** Code of what each duty ended with, where it names ACLs; null: well. */
async function outcomes(duties: readonly string[]): Promise<Record<string, unknown>> {
  const found = await Promise.all(
    duties.map(async (name) => {
      try {
        await DUTIES[name]?.();
        return [name, null] as const;
      } catch (error) {
        return [name, isNamed(error) ? (error as { code?: string }).code : error] as const;
      }
    }),
  );
  return Object.fromEntries(found);
}

describe('the rights that are listed', () => {
  it('are enough', async () => {
    const all = Object.keys(DUTIES);
    expect(await outcomes(all)).toEqual(Object.fromEntries(all.map((name) => [name, null])));
  });

  it.each([
    ['Read of change topics', 0, { ingest: 'KAF013' }],
    ['DescribeConfigs of change topics', 1, { plan: 'KAF013' }],
    // Describe comes with it.
    ['Read of the heartbeat', 2, { plan: 'CON013' }],
    ['DescribeConfigs of the heartbeat', 3, { plan: 'KAF013' }],
    ['Write of change topics', 4, { resnapshot: 'KAF013', ingest: null }],
    ['Read of own topics', 5, { recompute: 'KAF013', reconcile: 'KAF013', publish: null }],
    ['Write of own topics', 6, { publish: 'KAF013', setAside: 'KAF013', recompute: null }],
    // AlterConfigs, which `topics apply` needs there, would bring it.
    ['DescribeConfigs of own topics', [7, 11], { plan: 'KAF013', publish: null }],
    ['Read of groups', 8, { ingest: 'KAF001', recompute: 'KAF001', reconcile: 'KAF001', publish: null }],
    ['Write of transactional ids', 9, { publish: 'KAF001', setAside: null }],
    ['Create', 10, { create: 'CON013', alter: null }],
    ['AlterConfigs', 11, { alter: 'CON013', create: null }],
  ])('are needed: without %s', async (_what, indices, expected) => {
    const entries = [indices].flat().map((index) => entryOf(ACLS[index] as Acl));
    await lab.admin.deleteAcls({ filters: entries });
    try {
      // The authorizer learns of it a moment after the controller has answered.
      await expect.poll(() => outcomes(Object.keys(expected)), { timeout: 20_000 }).toEqual(expected);
    } finally {
      await lab.admin.createAcls({ acl: entries });
    }
  });
});
