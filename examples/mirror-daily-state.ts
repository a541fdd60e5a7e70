/**
 * Keeps a Postgres table in step with the daily-state topic. It uses nothing of Anchorline but the topic:
 *
 *   node examples/mirror-daily-state.ts <brokers> <registry url> <topic> <postgres url>
 *
 * Each record is applied exactly once. Kafka's offsets are committed after Postgres has committed, so a record may come
 * again but none is missed; the next offset, kept in the transaction that applies the records, tells repeats.
 * (Whoever restores the table from a backup sets the group's offsets back as well, or begins anew.)
 */
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import kafkajs from 'kafkajs';
import type { EachBatchPayload } from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import pg from 'pg';

const TABLES = `
  create table if not exists daily_state_mirror (
    assignment_id bigint, date date, revision bigint not null, state jsonb not null,
    primary key (assignment_id, date));
  create table if not exists daily_state_mirror_offset (
    topic text, partition int, next_offset bigint not null, primary key (topic, partition));`;

// kafkajs knows gzip only, and the topic is lz4.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => compressFrameSync(buffer),
  decompress: async (buffer: Buffer) => decompressFrameSync(buffer),
});

interface Day {
  readonly assignment_id: number;
  /** Days since 1970-01-01. */
  readonly date: number;
}

export interface Mirror {
  stop(): Promise<void>;
}

export async function mirrorDailyState(
  brokers: readonly string[],
  registryUrl: string,
  topic: string,
  postgresUrl: string,
): Promise<Mirror> {
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 2 });
  await pool.query(TABLES);
  const registry = new SchemaRegistry({ host: registryUrl });
  // Read-committed is kafkajs's default.
  const consumer = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'mirror',
    logLevel: kafkajs.logLevel.WARN,
  }).consumer({
    groupId: `mirror-of-${topic}`,
    maxWaitTimeInMs: 500,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachBatch: (payload) => applyBatch(pool, registry, payload) });
  return {
    async stop() {
      await consumer.disconnect();
      await pool.end();
    },
  };
}

async function applyBatch(
  pool: pg.Pool,
  registry: SchemaRegistry,
  { batch }: EachBatchPayload,
): Promise<void> {
  const at = [batch.topic, batch.partition];
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('insert into daily_state_mirror_offset values ($1, $2, 0) on conflict do nothing', at);
    // The lock makes a member that has lost the partition, but does not know yet, wait and then find nothing to do.
    const { rows } = await client.query<{ next_offset: string }>(
      'select next_offset from daily_state_mirror_offset where topic = $1 and partition = $2 for update',
      at,
    );
    const next = BigInt(rows[0]?.next_offset ?? 0);
    for (const { offset, key, value } of batch.messages) {
      if (BigInt(offset) < next || key === null) continue;
      const day = (await registry.decode(key)) as Day;
      await applyRow(client, day, value === null ? null : await registry.decode(value));
    }
    const following = BigInt(batch.lastOffset()) + 1n;
    await client.query(
      `update daily_state_mirror_offset set next_offset = greatest(next_offset, $3)
       where topic = $1 and partition = $2`,
      [...at, following],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function applyRow(client: pg.PoolClient, day: Day, state: { revision: number } | null): Promise<void> {
  const id = [day.assignment_id, day.date];
  if (state === null) {
    await client.query(
      "delete from daily_state_mirror where assignment_id = $1 and date = date '1970-01-01' + $2::int",
      id,
    );
    return;
  }
  await client.query(
    `insert into daily_state_mirror values ($1, date '1970-01-01' + $2::int, $3, $4)
     on conflict (assignment_id, date) do update set revision = excluded.revision, state = excluded.state
     where daily_state_mirror.revision < excluded.revision`,
    [...id, state.revision, JSON.stringify(state)],
  );
}

if (process.argv[1] === import.meta.filename) {
  const [brokers = '', registryUrl = '', topic = '', postgresUrl = ''] = process.argv.slice(2);
  const mirror = await mirrorDailyState(brokers.split(','), registryUrl, topic, postgresUrl);
  process.once('SIGINT', () => void mirror.stop());
}
