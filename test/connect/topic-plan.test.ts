import { describe, expect, test } from 'vitest';
import { renderTopicPlan } from '../../src/connect/plan-text.ts';
import { compareTopics } from '../../src/connect/topic-plan.ts';
import type { FoundTopic } from '../../src/connect/topic-plan.ts';
import type { TopicSpec } from '../../src/connect/topics.ts';

const spec = (
  topic: string,
  config: Record<string, string> = { 'cleanup.policy': 'compact' },
): TopicSpec => ({
  topic,
  partitions: 6,
  replicationFactor: 3,
  config,
});
const found = (config: Record<string, string>, rest: Partial<FoundTopic> = {}): FoundTopic => ({
  partitions: 6,
  replicationFactor: 3,
  config: new Map(Object.entries(config)),
  ...rest,
});

describe('a plan of topics', () => {
  const plan = compareTopics(
    [
      spec('new'),
      spec('other', { 'retention.ms': '1', 'cleanup.policy': 'delete' }),
      spec('same'),
      spec('odd'),
    ],
    new Map([
      ['other', found({ 'cleanup.policy': 'delete', 'segment.ms': '7' })],
      ['same', found({ 'cleanup.policy': 'compact', 'segment.ms': '7' })],
      ['odd', found({ 'cleanup.policy': 'compact' }, { partitions: 1, replicationFactor: 1 })],
      ['of somebody else', found({})],
    ]),
  );

  test('says what would be created, changed, and left to people', () => {
    expect(renderTopicPlan(plan).split('\n')).toEqual([
      '+ new: 6 partitions, 3 copies, cleanup.policy=compact',
      '~ other retention.ms: none → 1',
      expect.stringMatching(/^! odd has 1 partitions instead of 6: left as it is/),
      expect.stringMatching(/^! odd has 1 copies instead of 3: left as it is/),
      '2 topics are as they should be',
      '1 to create, 1 to change, 0 to remove',
    ]);
  });

  test('sends along what others set, for a request replaces all', () => {
    expect(plan.toAlter).toEqual([
      { topic: 'other', config: { 'cleanup.policy': 'delete', 'segment.ms': '7', 'retention.ms': '1' } },
    ]);
  });

  test('of topics that are right is empty', () => {
    const none = compareTopics([spec('same')], new Map([['same', found({ 'cleanup.policy': 'compact' })]]));
    expect(none).toMatchObject({ differences: [], warnings: [], toCreate: [], toAlter: [] });
    expect(renderTopicPlan(none)).toMatch(/nothing to do$/);
  });

  test('takes more copies than wanted as right', () => {
    const more = found({ 'cleanup.policy': 'compact' }, { replicationFactor: 5 });
    expect(compareTopics([spec('same')], new Map([['same', more]])).warnings).toEqual([]);
  });
});
