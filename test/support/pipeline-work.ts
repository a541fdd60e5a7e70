/** Work that is under way in a pipeline: what a kill must hit to mean something. */
import { changeTopics } from '../../src/domain/topics.ts';
import type { Pipeline } from './pipeline.ts';

/** `lag`: records not ingested; `dirt`: days not computed; `publications`: rows not sent. */
export type Work = 'lag' | 'dirt' | 'publications';

export async function inFlight(pipeline: Pipeline, work: Work): Promise<boolean> {
  if (work === 'lag') return ingestBehind(pipeline);
  const table = work === 'dirt' ? 'dirt' : 'publication_log';
  return (await pipeline.inStore(`select 1 from ${table} limit 1`)).length > 0;
}

/** The ends are asked for first: what is ingested meanwhile makes the lag smaller, never larger. */
async function ingestBehind(pipeline: Pipeline): Promise<boolean> {
  const topics = changeTopics(pipeline.config.topics.prefix);
  const end = await endOf(pipeline, topics);
  const [position] = await pipeline.inStore<{ next: string }>(
    'select sum(next_offset) as next from position where topic = any ($1)',
    [topics],
  );
  return BigInt(position?.next ?? 0) < end;
}

/** The sum of all ends; in a topic of transactions their markers count too. */
export async function endOf({ lab }: Pipeline, topics: readonly string[]): Promise<bigint> {
  const partitions = await Promise.all(topics.map((topic) => lab.admin.fetchTopicOffsets(topic)));
  return partitions.flat().reduce((sum, { high }) => sum + BigInt(high), 0n);
}
