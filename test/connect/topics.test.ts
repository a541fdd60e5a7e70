import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAX_RECORD_BYTES } from '../../src/connect/definition.ts';
import { DEFAULT_TOPICS, topicManifest } from '../../src/connect/topics.ts';
import { CAPTURED_TABLES, changeTopic, changeTopics, tableOfTopic } from '../../src/domain/topics.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

const DAY_MS = 86_400_000;

describe('the manifest', () => {
  const manifest = topicManifest(DEFAULT_TOPICS);
  const spec = (topic: string) => manifest.find((candidate) => candidate.topic === topic);

  test('names every topic once', () => {
    expect(new Set(manifest.map(({ topic }) => topic)).size).toBe(manifest.length);
    expect(manifest).toHaveLength(CAPTURED_TABLES.length + 7);
  });

  test('keeps deletes of change topics and daily states for thirty days', () => {
    for (const topic of [...changeTopics('farm'), 'anchorline.daily-state']) {
      expect(spec(topic)?.config).toMatchObject({
        'cleanup.policy': 'compact',
        'delete.retention.ms': String(30 * DAY_MS),
      });
    }
  });

  test('takes records of the farm’s of any size that its connector sends, set aside or not', async () => {
    const base = await readFile(join(PROJECT_DIR, 'connectors', 'base.yaml'), 'utf8');
    expect(base).toContain('producer.override.max.request.size: ${maxRecordBytes}');
    for (const topic of [...changeTopics('farm'), 'anchorline.dead-letter']) {
      expect(spec(topic)?.config['max.message.bytes']).toBe(String(MAX_RECORD_BYTES));
    }
  });

  test('lets wake-ups and dead letters expire', () => {
    expect(spec('anchorline.recompute-requests')).toMatchObject({
      partitions: 12,
      config: { 'cleanup.policy': 'delete', 'retention.ms': String(7 * DAY_MS) },
    });
    expect(spec('anchorline.dead-letter')?.config['retention.ms']).toBe(String(30 * DAY_MS));
  });

  test('spreads large tables alone', () => {
    expect(spec('farm.public.environmental_environmentalreading')?.partitions).toBe(6);
    expect(spec('farm.public.batch_batchcontainerassignment')?.partitions).toBe(1);
  });
});

describe('a change topic', () => {
  test('leads back to its table', () => {
    for (const { name } of CAPTURED_TABLES) expect(tableOfTopic('a.b', changeTopic('a.b', name))).toBe(name);
  });

  test.each([
    'farm.public.auth_user',
    'farm.other.batch_batch',
    'north.public.batch_batch',
    'farm.public.',
    '',
  ])('is not %j', (topic) => expect(tableOfTopic('farm', topic)).toBeNull());
});
