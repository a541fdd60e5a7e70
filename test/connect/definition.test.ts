import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('an environment', () => {
  test('of production stands on the farm’s connector', async () => {
    const plain = await loadConnector(file, settings);
    const { name, config } = await loadConnector(
      join(PROJECT_DIR, 'connectors', 'environments', 'production.yaml'),
      settings,
    );
    expect(name).toBe(plain.name);
    expect(config).toMatchObject({
      'connector.class': plain.config['connector.class'],
      'table.include.list': plain.config['table.include.list'],
      'database.sslmode': 'verify-full',
      'heartbeat.interval.ms': '30000',
      'topic.creation.default.replication.factor': '3',
    });
    expect(plain.config).toMatchObject({ 'database.sslmode': 'prefer', 'heartbeat.interval.ms': '10000' });
  });
});

describe('a connector’s file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anchorline-connectors-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const load = async (yaml: string) => {
    await writeFile(join(folder, 'own.yaml'), yaml);
    return loadConnector(join(folder, 'own.yaml'), settings);
  };

  test('may stand on one elsewhere, and take keys away', async () => {
    const { config } = await load(
      `base: ${file}\npoll.interval.ms: 500\nproducer.override.linger.ms: null\n`,
    );
    expect(config['poll.interval.ms']).toBe('500');
    expect(config).not.toHaveProperty('producer.override.linger.ms');
  });

  test.each([
    ['itself as its base', 'base: own.yaml\n', 'CON001', 'stands on more than 8 files'],
    ['a base that is not there', 'base: other.yaml\n', 'CON001', 'other.yaml cannot be read'],
    ['a base that is no name', 'base: [a]\n', 'CON001', 'base is not the name of a file'],
    ['no keys', 'hello\n', 'CON001', 'holds no keys'],
    [
      'another prefix',
      `base: ${file}\ntopic.prefix: north\n`,
      'CON010',
      'topic.prefix is north, but topics.prefix wants farm',
    ],
    ['another slot', `base: ${file}\nslot.name: mine\n`, 'CON010', 'source.slot wants anchorline'],
    [
      'no tombstones',
      `base: ${file}\ntombstones.on.delete: false\n`,
      'CON010',
      'tombstones.on.delete is false',
    ],
    [
      'decimals as doubles',
      `base: ${file}\ndecimal.handling.mode: double\n`,
      'CON010',
      'how ingest reads values',
    ],
    ['another name', `base: ${file}\nname: other\n`, 'CON010', 'connect.connector wants anchorline-farm'],
  ])('with %s is refused', async (_what, yaml, code, message) => {
    await expect(load(yaml)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
