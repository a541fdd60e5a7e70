import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { envName } from '../../src/config/names.ts';
import { renderEffective, renderReference } from '../../src/config/render.ts';
import { DEFAULT_CONNECTOR } from '../../src/connect/definition.ts';
import { DEFAULT_TOPICS } from '../../src/connect/topics.ts';
import { consumerTuning } from '../../src/compose/consumers.ts';
import { CONNECTION_DEFAULTS } from '../../src/kafka/client.ts';
import { CONSUMER_DEFAULTS } from '../../src/kafka/consumer-options.ts';
import { PORT_SETTINGS, stackConfig } from '../../src/stack/config.ts';
import { PROJECT_DIR, kafkaConnectionOf, stackOf } from '../../src/wiring.ts';

const load = (env: Readonly<Record<string, string>> = {}): ReturnType<typeof loadConfig> =>
  loadConfig({ env, file: null, readFile: () => '' });

describe('the reference', () => {
  it('is what docs/configuration.md says (npm run config:docs)', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(renderReference());
  });

  it('shows no password', () => {
    expect(renderReference()).not.toContain('postgres:postgres');
  });
});

describe('the effective settings', () => {
  it('tell value and origin, and mask secrets', () => {
    const text = renderEffective(
      load({ ANCHORLINE_STORE_URL: 'postgres://u:hunter2@h/d', ANCHORLINE_HTTP_PORT: '0' }),
    );
    expect(text).not.toContain('hunter2');
    expect(text).toMatch(/^store\.url +postgres:\/\/u:\*\*\*@h\/d +environment$/m);
    expect(text).toMatch(/^http\.port +0 +environment$/m);
    expect(text).toMatch(/^source\.password +\*\*\* +default$/m);
  });
});

describe('defaults and names', () => {
  const { config } = load();

  it('are those of the local stack', () => {
    const stack = stackConfig({ projectDir: PROJECT_DIR });
    expect(stackOf(config)).toEqual(stack);
    for (const [part, variable] of Object.entries(PORT_SETTINGS)) {
      expect(envName(`stack.${part}Port`)).toBe(variable);
    }
  });

  it('are those of consumers and connections', () => {
    expect(CONSUMER_DEFAULTS).toMatchObject({
      ...consumerTuning(config),
      maxRecords: config.ingest.maxBatchRecords,
    });
    expect(kafkaConnectionOf(config)).toMatchObject(CONNECTION_DEFAULTS);
  });

  it('of retention are never below five years', () => {
    expect(() => load({ ANCHORLINE_RETENTION_YEARS: '4' })).toThrow(/retention\.years.* from 5 to 100/);
    expect(load({ ANCHORLINE_RETENTION_YEARS: '5' }).config.retention.years).toBe(5);
    expect(config.retention.years).toBeNull();
  });

  it('are those of the connector and of its topics', () => {
    const { connect, source, topics } = config;
    expect(DEFAULT_CONNECTOR).toMatchObject({
      name: connect.connector,
      prefix: topics.prefix,
      user: source.role,
      password: source.password,
      sslMode: connect.sslMode,
      slot: source.slot,
      publication: source.publication,
      heartbeatMs: connect.heartbeatMs,
      replicationFactor: topics.replication,
      largePartitions: topics.largePartitions,
    });
    expect(DEFAULT_TOPICS).toEqual({
      prefix: topics.prefix,
      namespace: topics.namespace,
      replicationFactor: topics.replication,
      largePartitions: topics.largePartitions,
      workPartitions: topics.partitions,
    });
  });
});
