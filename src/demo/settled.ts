/**
 * Tells when everything that was written to the source has reached the topic. A label is changed at the source;
 * once it has been ingested, every earlier change is in Kafka. Then ingest must have read to the ends of the
 * change topics, nothing may be dirty, and nothing unpublished.
 */
import type { Admin } from 'kafkajs';
import type pg from 'pg';
import { changeTopics } from '../domain/topics.ts';
import type { PgStore } from '../store/pg-store.ts';
import type { StoreStatus } from '../store/status.ts';
import type { StateReader } from './state.ts';

export interface Pipeline {
  readonly source: pg.ClientBase;
  readonly admin: Admin;
  readonly store: PgStore;
  readonly state: StateReader;
  readonly prefix: string;
  /** Called about twice a second while waiting. */
  readonly onWait: (status: StoreStatus) => void;
}

const LOOK_MS = 100;
const TELL_EVERY = 5;

/** Throws when it takes longer than `limitMs`, naming what still waits. */
export async function settled(pipeline: Pipeline, limitMs: number): Promise<void> {
  const label = `settled at ${Date.now()}`;
  await pipeline.source.query(
    `update infrastructure_container set name = $1
     where id = (select min(id) from infrastructure_container)`,
    [label],
  );
  const deadline = Date.now() + limitMs;
  for (let look = 0; ; look += 1) {
    const status = await pipeline.store.status();
    if (look % TELL_EVERY === 0) pipeline.onWait(status);
    const waiting = await whatWaits(pipeline, status, label);
    if (waiting === null) return;
    if (Date.now() > deadline) throw new Error(`not settled after ${limitMs / 1000} s: ${waiting}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function whatWaits(pipeline: Pipeline, status: StoreStatus, label: string): Promise<string | null> {
  if (!(await pipeline.state.hasContainerNamed(label))) return 'the last change is not ingested yet';
  const behind = await topicsBehind(pipeline, status);
  if (behind.length > 0) return `ingest is behind in ${behind.join(', ')}`;
  // Asked again: dirt that the status above still showed may have become a publication meanwhile.
  const { dirt, publications } = await pipeline.store.status();
  if (dirt.entries > 0) return `${dirt.assignments} assignments are dirty`;
  if (publications.entries > 0) return `${publications.entries} publications wait`;
  return null;
}

async function topicsBehind({ admin, prefix }: Pipeline, status: StoreStatus): Promise<string[]> {
  const next = new Map(status.positions.map((p) => [`${p.topic}/${p.partition}`, p.next]));
  const ends = await Promise.all(
    changeTopics(prefix).map(async (topic) => ({ topic, offsets: await admin.fetchTopicOffsets(topic) })),
  );
  return ends.flatMap(({ topic, offsets }) =>
    offsets
      .filter(({ partition, high }) => (next.get(`${topic}/${partition}`) ?? 0n) < BigInt(high))
      .map(({ partition }) => `${topic}/${partition}`),
  );
}
