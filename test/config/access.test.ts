/** TLS and logins: what does not go together, and what is unwise. */
import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import type { ConfigSources } from '../../src/config/load.ts';

const load = (env: ConfigSources['env'], files: Readonly<Record<string, string>> = {}) =>
  loadConfig({
    env,
    file: null,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`no such file: ${path}`);
      return text;
    },
  });

const STORE = 'postgres://me@state/anchorline';

describe('TLS and logins that do not go together', () => {
  it.each([
    ['a mechanism without user', { ANCHORLINE_KAFKA_SASL_MECHANISM: 'plain', ANCHORLINE_KAFKA_SASL_PASSWORD: 'x' }, 'kafka.saslUsername is missing'],
    ['oauthbearer without its client', { ANCHORLINE_KAFKA_SASL_MECHANISM: 'oauthbearer', ANCHORLINE_KAFKA_OAUTH_TOKEN_URL: 'https://tokens' }, 'kafka.oauthClientId and kafka.oauthClientSecret is missing'],
    ['a password without mechanism', { ANCHORLINE_KAFKA_SASL_PASSWORD: 'x' }, 'name the mechanism'],
    ['an authority without TLS', { ANCHORLINE_KAFKA_TLS_CA_FILE: '/ca' }, 'kafka.tls is false, but kafka.tlsCaFile is set'],
    ['a certificate without key', { ANCHORLINE_KAFKA_TLS: 'true', ANCHORLINE_KAFKA_TLS_CERT_FILE: '/c' }, 'kafka.tlsCertFile is set without kafka.tlsKeyFile'],
    ['a key without certificate', { ANCHORLINE_STORE_TLS_KEY_FILE: '/k' }, 'store.tlsKeyFile is set without store.tlsCertFile'],
    ['two modes', { ANCHORLINE_STORE_URL: `${STORE}?sslmode=require`, ANCHORLINE_STORE_TLS_MODE: 'verify-full' }, 'store.url says sslmode=require'],
    ['files that are not used', { ANCHORLINE_STORE_URL: `${STORE}?sslmode=disable`, ANCHORLINE_STORE_TLS_CA_FILE: '/ca' }, 'store.tlsMode is disable, but store.tlsCaFile is set'],
    ['any public authority', { ANCHORLINE_STORE_TLS_MODE: 'verify-ca' }, 'verify-ca without store.tlsCaFile'],
    ['an authority over plain HTTP', { ANCHORLINE_REGISTRY_URL: 'http://registry', ANCHORLINE_REGISTRY_TLS_CA_FILE: '/ca' }, 'registry.url is no https'],
    ['two logins', { ANCHORLINE_REGISTRY_TOKEN: 't', ANCHORLINE_REGISTRY_USERNAME: 'u', ANCHORLINE_REGISTRY_PASSWORD: 'p' }, 'registry.token and registry.username are both set'],
    ['half a login', { ANCHORLINE_REGISTRY_USERNAME: 'u' }, 'registry.username and registry.password belong together'],
  ])('%s', (_what, env, named) => {
    expect(() => load(env)).toThrow(expect.objectContaining({ code: 'CFG004', message: expect.stringContaining(named) as string }) as Error);
  }); // prettier-ignore

  it.each(['sslmode=no-verify', 'ssl=true', 'uselibpqcompat=true', 'sslnegotiation=direct'])(
    'a url that the driver would read in its own way: %s',
    (query) => {
      const loading = () => load({ ANCHORLINE_STORE_URL: `${STORE}?${query}` });
      expect(loading).toThrow(expect.objectContaining({ code: 'CFG001' }) as Error);
    },
  );
});

describe('secrets that anybody on the way could read', () => {
  const plain = { ANCHORLINE_KAFKA_SASL_MECHANISM: 'plain', ANCHORLINE_KAFKA_SASL_USERNAME: 'u', ANCHORLINE_KAFKA_SASL_PASSWORD: 'p' }; // prettier-ignore

  it.each([
    ['a password to brokers without TLS', { ...plain, ANCHORLINE_KAFKA_BROKERS: 'kafka:9092' }, ['kafka.saslMechanism is plain and kafka.tls is false']], // prettier-ignore
    ['… but not over TLS', { ...plain, ANCHORLINE_KAFKA_BROKERS: 'kafka:9092', ANCHORLINE_KAFKA_TLS: 'true' }, []], // prettier-ignore
    ['… nor on this machine', { ...plain, ANCHORLINE_KAFKA_BROKERS: 'localhost:9092,127.0.0.1:9093' }, []],
    ['… nor by SCRAM', { ...plain, ANCHORLINE_KAFKA_SASL_MECHANISM: 'scram-sha-512', ANCHORLINE_KAFKA_BROKERS: 'kafka:9092' }, []], // prettier-ignore
    ['a token to a registry', { ANCHORLINE_REGISTRY_URL: 'http://registry', ANCHORLINE_REGISTRY_TOKEN: 't' }, ['registry.url is no https']], // prettier-ignore
    ['… but not over https', { ANCHORLINE_REGISTRY_URL: 'https://registry', ANCHORLINE_REGISTRY_TOKEN: 't' }, []], // prettier-ignore
  ])('%s', (_what, env, expected) => {
    const { warnings } = load(env);
    expect(warnings).toHaveLength(expected.length);
    expected.forEach((text, i) => expect(warnings[i]).toContain(text));
  });
});
