/** No secret setting is told by `config` or by a refusal, however it is given. */
import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { envName } from '../../src/config/names.ts';
import type { Option } from '../../src/config/option.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { renderEffective } from '../../src/config/render.ts';

const PLANTED = 'hunter2://x"y';
const ALL = Object.entries(OPTIONS).flatMap(([section, options]) =>
  Object.entries<Option<unknown>>(options).map(([key, option]) => ({ path: `${section}.${key}`, option })),
);
const SECRETS = ALL.filter(({ option }) => option.secret).map(({ path, option }) => ({
  path,
  // What is checked for its form must have it.
  value: option.isUrl
    ? `postgres://app:${encodeURIComponent(PLANTED)}@db.test/farm`
    : path === 'connect.passwordReference'
      ? `\${file:/run/${PLANTED}:password}`
      : PLANTED,
}));
const TRACES = ['hunter2', encodeURIComponent(PLANTED)];

/** What is printed where these are the settings, right or wrong. */
function told(env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}): string {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  };
  const file = 'config.yaml' in files ? 'config.yaml' : null;
  try {
    const loaded = loadConfig({ env, file, readFile });
    return [renderEffective(loaded), ...loaded.warnings].join('\n');
  } catch (error) {
    return String(error instanceof Error ? error.stack : error);
  }
}

/** What else must be set. */
function companions(path: string): Record<string, string> {
  const [section = '', key = ''] = path.split('.');
  if (key === 'password' && section !== 'source') return { [envName(`${section}.username`)]: 'u' };
  if (key === 'saslPassword')
    return { ANCHORLINE_KAFKA_SASL_MECHANISM: 'plain', ANCHORLINE_KAFKA_SASL_USERNAME: 'u' };
  if (key !== 'oauthClientSecret') return {};
  return {
    ANCHORLINE_KAFKA_SASL_MECHANISM: 'oauthbearer',
    ANCHORLINE_KAFKA_OAUTH_TOKEN_URL: 'https://tokens.test',
    ANCHORLINE_KAFKA_OAUTH_CLIENT_ID: 'c',
  };
}

describe('secret settings', () => {
  it('are all that are called like one, and no others', () => {
    const looks = /password(Reference)?$|passphrase$|token$|secret$|^(store|source)\.\w*url$/i;
    const called = ALL.map(({ path }) => path).filter((path) => looks.test(path));
    expect(SECRETS.map(({ path }) => path).toSorted()).toEqual(called.toSorted());
    expect(SECRETS.length).toBeGreaterThan(7);
  });

  it.each(SECRETS)('$path is masked wherever it comes from', ({ path, value }) => {
    const [section = '', key = ''] = path.split('.');
    const env = companions(path);
    const masked = [
      told({ ...env, [envName(path)]: value }),
      told({ ...env, [`${envName(path)}_FILE`]: '/run/secret' }, { '/run/secret': `${value}\n` }),
      told(env, { 'config.yaml': JSON.stringify({ [section]: { [key]: value } }) }),
    ];
    const line = new RegExp(
      `^${path.replace('.', '\\.')} .*\\*{3}.* (environment|/run/secret|config.yaml)$`,
      'm',
    );
    for (const output of masked) {
      expect(output).toMatch(line);
      for (const trace of TRACES) expect(output).not.toContain(trace);
    }
  });

  it.each(SECRETS)('$path is not told where it is refused', ({ path, value }) => {
    const [section = '', key = ''] = path.split('.');
    const refused = [
      told({}, { 'config.yaml': JSON.stringify({ [section]: { [key]: [value] } }) }),
      told({}, { 'config.yaml': JSON.stringify({ [section]: { [`${key}s`]: value } }) }),
      told({ [envName(path)]: value, [`${envName(path)}_FILE`]: '/run/secret' }, { '/run/secret': value }),
    ];
    for (const output of refused) {
      expect(output).toContain('ConfigurationError');
      for (const trace of TRACES) expect(output).not.toContain(trace);
    }
  });

  it.each([
    'registry.url',
    'connect.url',
    'connect.registryUrl',
    'connect.metricsUrl',
    'kafka.oauthTokenUrl',
  ])('%s is refused with a login in it, and the login is not told', (path) => {
    const output = told({ [envName(path)]: 'https://app:hunter2@there.test/' });
    expect(output).toContain(`${path} = "https://app:***@there.test/"`);
    expect(output).toContain('without a login');
  });

  it.each([
    ['an alias', 'source:\n  password: *hunter2\n'],
    ['a tag', 'source:\n  password: !hunter2 x\n'],
    ['a quote', 'source:\n  password: "hunter2\nkafka: {}\n'],
    ['a colon', 'source:\n  password: x: hunter2\n'],
    ['a second one', 'source: { password: hunter2, password: hunter2 }\n'],
  ])('are not told of a file that %s breaks', (_what, text) => {
    const output = told({}, { 'config.yaml': text });
    expect(output).toContain('it is no YAML');
    expect(output).not.toContain('hunter2');
  });
});
