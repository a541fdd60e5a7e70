import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ConnectorSettings, DEFAULT_CONNECTOR, loadConnector } from '../../src/connect/definition.ts';
import { topicManifest } from '../../src/connect/topics.ts';
import { CAPTURED_TABLES } from '../../src/domain/topics.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

const file = join(PROJECT_DIR, 'connectors', 'farm-postgres.yaml');
const settings: ConnectorSettings = {
  ...DEFAULT_CONNECTOR,
  host: 'farm.example',
  port: 5432,
  database: 'aquamind',
  registryUrl: 'http://registry',
};

describe('the farm’s connector', () => {
  test('captures the listed tables and reaches source and registry as set', async () => {
    const { name, config } = await loadConnector(file, settings);
    expect(name).toBe('anchorline-farm');
    expect(config['table.include.list']?.split(',')).toEqual(
      CAPTURED_TABLES.map((table) => `public.${table.name}`),
    );
    expect(config).toMatchObject({
      'database.hostname': 'farm.example',
      'database.port': '5432',
      'publication.autocreate.mode': 'disabled',
      'value.converter.apicurio.registry.url': 'http://registry/apis/registry/v2',
    });
    expect(JSON.stringify(config)).not.toContain('${');
  });

  test('makes topics as the manifest would', async () => {
    const { config } = await loadConnector(file, { ...settings, largePartitions: 4, prefix: 'north.sea' });
    const manifest = topicManifest({
      prefix: 'north.sea',
      namespace: 'anchorline',
      replicationFactor: 1,
      largePartitions: 4,
      workPartitions: 3,
    });
    const large = (config['topic.creation.large.include'] ?? '')
      .split(',')
      .map((pattern) => new RegExp(`^${pattern}$`));
    const changes = manifest.filter(({ topic }) => topic.startsWith('north.sea.public.'));
    expect(changes).toHaveLength(CAPTURED_TABLES.length);
    for (const { topic, partitions, config: topicConfig } of changes) {
      const group = large.some((pattern) => pattern.test(topic)) ? 'large' : 'default';
      expect([topic, config[`topic.creation.${group}.partitions`]]).toEqual([topic, String(partitions)]);
      for (const [key, value] of Object.entries(topicConfig)) {
        expect(config[`topic.creation.default.${key}`]).toBe(value);
      }
    }
  });

  test('that cannot be read is named', async () => {
    await expect(loadConnector(join(PROJECT_DIR, 'connectors', 'none.yaml'), settings)).rejects.toMatchObject(
      {
        code: 'CON001',
        message: expect.stringContaining('none.yaml'),
      },
    );
  });
});
