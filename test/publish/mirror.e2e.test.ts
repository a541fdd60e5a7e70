/** The contract end to end: rows through registry and topic into a consumer's own table, by the published example. */
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { mirrorDailyState } from '../../examples/mirror-daily-state.ts';
import { ConfigurationError } from '../../src/domain/errors.ts';
import type { DailyStateMessage, PublicationBatch, PublishedRow } from '../../src/domain/ports.ts';
import { createAvroEncoder } from '../../src/kafka/avro.ts';
import { KafkaDailyStateTopic } from '../../src/kafka/daily-state-topic.ts';
import { contractSubjects, toAvro } from '../../src/publish/contract.ts';
import { confluentRegistryUrl } from '../../src/stack/config.ts';
import { KafkaLab, silent } from '../support/kafka-lab.ts';
import { endpointsOf } from '../support/stack-provider.ts';
import { createDatabase } from '../support/stack-source.ts';

const endpoints = endpointsOf(inject('stack'));
const registryUrl = confluentRegistryUrl(endpoints);
let lab: KafkaLab;
let database: pg.Client;
let postgresUrl: string;

beforeAll(async () => {
  lab = await KafkaLab.open(endpoints.kafkaBrokers);
  const name = `mirror_${Date.now().toString(36)}`;
  const { host, port, user, password } = await createDatabase(endpoints.sourcePg, name);
  postgresUrl = `postgres://${user}:${password}@${host}:${port}/${name}`;
  database = new pg.Client({ connectionString: postgresUrl });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await lab[Symbol.asyncDispose]();
});

function row(assignmentId: number, day: number, revision: number, avgWeightG: number): DailyStateMessage {
  const published: PublishedRow = {
    id: BigInt(assignmentId * 1_000 + day),
    assignmentId,
    batchId: 1,
    containerId: 2,
    lifecycleStageId: 3,
    date: 19_417 + day,
    dayNumber: day + 1,
    avgWeightG,
    population: 1_000,
    biomassKg: avgWeightG,
    tempC: null,
    mortalityCount: 0,
    feedKg: 0.3,
    observedFcr: null,
    anchorType: null,
    sources: { weight: 'tgc_computed' },
    confidenceScores: { weight: 0.5 },
    lastComputedAtMs: 1_700_000_000_000,
    anchorResidualG: null,
    revision: BigInt(revision),
  };
  return { assignmentId, day: 19_417 + day, row: published };
}

const gone = (assignmentId: number, day: number) => ({ assignmentId, day: 19_417 + day, row: null });

function batches(...messages: readonly DailyStateMessage[]): PublicationBatch[] {
  return messages.map((message) => ({
    assignmentId: message.assignmentId,
    sequences: [],
    messages: [message],
    committedMs: null,
    decodedMs: null,
  }));
}

async function open(topic: string): Promise<KafkaDailyStateTopic> {
  const { key, value } = contractSubjects(topic);
  const keys = await createAvroEncoder(registryUrl, key.subject, key.schema);
  const values = await createAvroEncoder(registryUrl, value.subject, value.schema);
  const publisher = new KafkaDailyStateTopic({
    connection: lab.connection,
    topic,
    transactionalId: `${topic}.publish.0`,
    encode: (message) => {
      const avro = toAvro(message);
      return { key: keys.encode(avro.key), value: avro.value === null ? null : values.encode(avro.value) };
    },
    log: silent,
  });
  await publisher.open();
  return publisher;
}

async function mirrored(): Promise<string> {
  const { rows } = await database.query<{ line: string }>(
    `select assignment_id || ' ' || (date - date '1970-01-01' - 19417) || ' r' || revision || ' ' ||
            (state->>'avg_weight_g') as line
     from daily_state_mirror order by assignment_id, date`,
  );
  return rows.map(({ line }) => line).join('; ');
}

const shows = (expected: string) => expect.poll(mirrored, { timeout: 60_000 }).toBe(expected);

test('a table follows rows, corrections and tombstones, and repeats leave it alone', async () => {
  const topic = await lab.topic(3, { 'cleanup.policy': 'compact' });
  const publisher = await open(topic);
  await publisher.publish(batches(row(7, 0, 1, 10.25), row(7, 1, 1, 10.5), row(8, 0, 2, 99.99)));
  const first = await mirrorDailyState(endpoints.kafkaBrokers, registryUrl, topic, postgresUrl);
  await shows('7 0 r1 10.25; 7 1 r1 10.5; 8 0 r2 99.99');
  await publisher.publish(batches(row(7, 1, 3, 11), gone(8, 0), row(7, 2, 3, 11.2)));
  await publisher.publish(batches(row(7, 2, 3, 11.2)));
  await shows('7 0 r1 10.25; 7 1 r3 11; 7 2 r3 11.2');
  await first.stop();

  // Back to the beginning: every record comes again, the ones before the tombstone too.
  await lab.admin.resetOffsets({ groupId: `mirror-of-${topic}`, topic, earliest: true });
  await publisher.publish(batches(row(9, 0, 4, 1)));
  await publisher.close();
  const second = await mirrorDailyState(endpoints.kafkaBrokers, registryUrl, topic, postgresUrl);
  await shows('7 0 r1 10.25; 7 1 r3 11; 7 2 r3 11.2; 9 0 r4 1');
  await second.stop();
  expect(await mirrored()).not.toContain('8 0');
});

test('the registry refuses a schema that breaks the contract', async () => {
  const topic = lab.name('contract');
  const { value } = contractSubjects(topic);
  await createAvroEncoder(registryUrl, value.subject, value.schema);
  const fields = value.schema.fields.filter(({ name }) => name !== 'population');
  await expect(
    createAvroEncoder(registryUrl, value.subject, { ...value.schema, fields }),
  ).rejects.toBeInstanceOf(ConfigurationError);
  const extra = { name: 'extra', type: ['null', 'long'], default: null };
  const grown = { ...value.schema, fields: [...value.schema.fields, extra] };
  await createAvroEncoder(registryUrl, value.subject, grown);
});
