import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import type { LoadedConfig } from '../../src/config/load.ts';
import { ConfigurationError } from '../../src/domain/errors.ts';

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** Path → content; a file named config.yaml is the configuration file. */
  readonly files?: Readonly<Record<string, string>>;
}

function load({ env = {}, files = {} }: Given = {}): LoadedConfig {
  const readFile = (path: string): string => {
    const content = files[path];
    if (content === undefined) throw new Error('no such file');
    return content;
  };
  return loadConfig({ env, file: 'config.yaml' in files ? 'config.yaml' : null, readFile });
}

function refusal(given: Given): ConfigurationError {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('configuration', () => {
  it('has defaults that fit the local stack and follow its ports', () => {
    expect(load().config.kafka.brokers).toEqual(['127.0.0.1:19092']);
    const moved = load({
      env: { ANCHORLINE_STACK_POSTGRES_PORT: '25432', ANCHORLINE_STACK_KAFKA_PORT: '1' },
    });
    expect(moved.config.store.url).toBe('postgres://postgres:postgres@127.0.0.1:25432/anchorline');
    expect(moved.config.kafka.brokers).toEqual(['127.0.0.1:1']);
  });

  it('names consumer groups after the name space', () => {
    const { config } = load({ env: { ANCHORLINE_TOPICS_NAMESPACE: 'west' } });
    expect([config.ingest.groupId, config.recompute.groupId]).toEqual(['west-ingest', 'west-recompute']);
  });

  it('takes the environment before the file and the file before the default, and remembers which', () => {
    const { config, origins } = load({
      env: { ANCHORLINE_RECOMPUTE_QUIET_MS: '10' },
      files: { 'config.yaml': 'recompute: { quietMs: 20, tries: 5 }' },
    });
    expect(config.recompute).toMatchObject({ quietMs: 10, tries: 5, concurrency: 2 });
    expect(origins.get('recompute.quietMs')).toBe('environment');
    expect(origins.get('recompute.tries')).toBe('config.yaml');
    expect(origins.get('recompute.concurrency')).toBe('default');
  });

  it('reads lists, flags and JSON', () => {
    const env = { ANCHORLINE_KAFKA_BROKERS: 'a:1, b:2', ANCHORLINE_ENGINE_RECORDED_DEATHS_IN_COUNT: 'true' };
    const { config } = load({ env, files: { 'config.yaml': '{"retention": {"years": 7}}' } });
    expect(config.kafka.brokers).toEqual(['a:1', 'b:2']);
    expect(config.engine.recordedDeathsInCount).toBe(true);
    expect(config.retention.years).toBe(7);
  });

  it('takes an empty variable as not set', () => {
    expect(load({ env: { ANCHORLINE_LOG_LEVEL: '' } }).config.log.level).toBe('info');
  });

  it('reads a secret from the file that is named', () => {
    const loaded = load({
      env: { ANCHORLINE_SOURCE_PASSWORD_FILE: '/run/secrets/p' },
      files: { '/run/secrets/p': 'hunter2\n' },
    });
    expect(loaded.config.source.password).toBe('hunter2');
    expect(loaded.origins.get('source.password')).toBe('/run/secrets/p');
  });

  it('warns of a variable that is no setting', () => {
    expect(load({ env: { ANCHORLINE_LOG_LEVLE: 'debug' } }).warnings).toEqual([
      'ANCHORLINE_LOG_LEVLE is no setting: did you mean ANCHORLINE_LOG_LEVEL?',
    ]);
    expect(load({ env: { ANCHORLINE_CONFIG: '', ANCHORLINE_STORE_URL_FILE: '' } }).warnings).toEqual([]);
  });
});

describe('a refused configuration', () => {
  it('names setting, value, origin and mend', () => {
    const error = refusal({ env: { ANCHORLINE_RECOMPUTE_QUIET_MS: 'soon' } });
    expect(error.code).toBe('CFG001');
    expect(error.message).toBe(
      'recompute.quietMs = "soon" (environment): expected a whole number of ms from 0 to 60000. ' +
        'Set ANCHORLINE_RECOMPUTE_QUIET_MS, or leave it out for the default.',
    );
  });

  it.each([
    ['ANCHORLINE_KAFKA_BROKERS', 'localhost'],
    ['ANCHORLINE_SCHEDULER_CRON', '99 0 * * *'],
    ['ANCHORLINE_SCHEDULER_CRON', '0 0 31 2 *'],
    ['ANCHORLINE_SCHEDULER_CRON', '0 5 0 * * *'],
    ['ANCHORLINE_STORE_SCHEMA', 'Robert"; drop'],
    ['ANCHORLINE_REGISTRY_URL', 'localhost:8081'],
    ['ANCHORLINE_ENGINE_TIME_ZONE', 'Mars/Olympus'],
    ['ANCHORLINE_ENGINE_GROWTH_MODEL', 'magic'],
    ['ANCHORLINE_ENGINE_RECORDED_DEATHS_IN_COUNT', 'yes'],
    ['ANCHORLINE_SCHEDULER_CRON', 'midnight'],
    ['ANCHORLINE_HTTP_PORT', '70000'],
    ['ANCHORLINE_LOG_LEVEL', 'loud'],
    ['ANCHORLINE_RETENTION_YEARS', '0'],
  ])('%s=%s', (variable, value) => {
    const error = refusal({ env: { [variable]: value } });
    expect(error.code).toBe('CFG001');
    expect(error.message).toContain(variable);
    expect(error.message).toContain(JSON.stringify(value));
  });

  it('never shows a secret', () => {
    const error = refusal({ env: { ANCHORLINE_STORE_URL: 'mysql://u:hunter2@h/d' } });
    expect(error.message).toContain('store.url = the value (not shown)');
    expect(error.message).not.toContain('hunter2');
  });

  it('lists everything that is wrong at once', () => {
    const env = { ANCHORLINE_LOG_LEVEL: 'loud', ANCHORLINE_HTTP_PORT: 'x' };
    expect(refusal({ env }).message.split('\n')).toHaveLength(2);
  });

  it('suggests the nearest name for an unknown key or section', () => {
    const error = refusal({ files: { 'config.yaml': 'recompute: { quitMs: 1 }\nkafak: { brokers: a:1 }' } });
    expect(error.code).toBe('CFG002');
    expect(error.message).toContain('recompute.quitMs is no setting: did you mean recompute.quietMs?');
    expect(error.message).toContain('kafak is no setting: did you mean kafka?');
  });

  it('lists what there is where nothing is near', () => {
    const error = refusal({ files: { 'config.yaml': 'engine: { zzzzzzzzzz: 1 }' } });
    expect(error.message).toContain('there are engine.timeZone, engine.growthModel');
    expect(refusal({ files: { 'config.yaml': 'engine: UTC' } }).message).toContain(
      'engine must hold settings',
    );
  });

  it.each(['- a list', 'just text', 'a: [unclosed'])('refuses a file that says %s', (content) => {
    const error = refusal({ files: { 'config.yaml': content } });
    expect(error.code).toBe('CFG003');
    expect(error.message).toContain('config.yaml');
  });

  it('names a file that is not there', () => {
    const env = { ANCHORLINE_CONFIG: '/etc/none.yaml' };
    expect(refusal({ env })).toMatchObject({
      code: 'CFG003',
      message: 'cannot read /etc/none.yaml: no such file',
    });
  });

  it('names a secret file that is not there, and one beside a value', () => {
    const env = { ANCHORLINE_SOURCE_PASSWORD_FILE: '/none' };
    expect(refusal({ env })).toMatchObject({ code: 'CFG005' });
    expect(refusal({ env }).message).toContain('ANCHORLINE_SOURCE_PASSWORD_FILE');
    const both = { ...env, ANCHORLINE_SOURCE_PASSWORD: 'x' };
    expect(refusal({ env: both }).message).toContain('both ANCHORLINE_SOURCE_PASSWORD and');
  });

  it.each([
    [
      'first wait above the longest',
      { ANCHORLINE_CONNECT_RESTART_FIRST_MS: '700000' },
      'connect.restartFirstMs',
    ],
    ['quiet time above the longest wait', { ANCHORLINE_RECOMPUTE_QUIET_MS: '6000' }, 'recompute.quietMs'],
    ['sweep before the longest wait', { ANCHORLINE_SWEEP_OLDER_THAN_MS: '5000' }, 'sweep.olderThanMs'],
    ['a pool that is too small', { ANCHORLINE_STORE_POOL_SIZE: '7' }, 'store.poolSize'],
    ['a login without a user', { ANCHORLINE_KAFKA_SASL_MECHANISM: 'plain' }, 'kafka.saslUsername'],
    ['one name for two kinds of topics', { ANCHORLINE_TOPICS_NAMESPACE: 'farm' }, 'topics.namespace'],
    ['one consumer group for two', { ANCHORLINE_INGEST_GROUP_ID: 'anchorline-recompute' }, 'ingest.groupId'],
    [
      'a poll that outlasts the lease',
      { ANCHORLINE_PUBLISH_LEASE_MS: '2000', ANCHORLINE_PUBLISH_POLL_MS: '1000' },
      'publish.pollMs',
    ],
    ['two parts on one port', { ANCHORLINE_STACK_KAFKA_PORT: '15432' }, 'share a port'],
  ])('%s', (_what, env, named) => {
    const error = refusal({ env });
    expect(error.code).toBe('CFG004');
    expect(error.message).toContain(named);
  });
});
