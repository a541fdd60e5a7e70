/** The real registry behind TLS, client certificates and logins. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { createAvroDecoder, createAvroEncoder } from '../../src/kafka/avro.ts';
import { registryOf } from '../../src/wiring-access.ts';
import { Certificates } from '../support/certificates.ts';
import type { Issued, Parties } from '../support/certificates.ts';
import { confluentRegistryUrl } from '../../src/stack/config.ts';
import { endpointsOf } from '../support/stack-provider.ts';
import { startTlsProxy } from '../support/tls-proxy.ts';
import type { ProxyOptions } from '../support/tls-proxy.ts';

const PATH = '/apis/ccompat/v7';
const SCHEMA = { type: 'record', name: 'Row', namespace: 'access', fields: [{ name: 'id', type: 'long' }] };

let made: Certificates;
let parties: Parties;
let server: Issued;
let backend: string;

beforeAll(async () => {
  backend = confluentRegistryUrl(endpointsOf(inject('stack'))).replace(PATH, '');
  made = await Certificates.open();
  parties = await made.parties('client');
  server = await parties.authority.issue('registry');
});
afterAll(() => made[Symbol.asyncDispose]());

/** Registers a schema, encodes and decodes with it, all through the proxy. */
async function roundTrip(
  proxy: Omit<ProxyOptions, 'url' | 'certificate'>,
  settings: object,
): Promise<unknown> {
  await using front = await startTlsProxy({ url: backend, certificate: server, ...proxy });
  const text = JSON.stringify({ registry: { url: front.url + PATH, ...settings } });
  const { config } = loadConfig({ env: {}, file: 'settings', readFile: () => text });
  const encoder = await createAvroEncoder(registryOf(config), `access-${process.pid}`, SCHEMA);
  const decoded = await createAvroDecoder(registryOf(config)).decode(encoder.encode({ id: 7 }));
  return decoded.ok ? decoded.value : decoded.rejection;
}

const BASIC = `Basic ${Buffer.from('farm:pass:word').toString('base64')}`;

describe('the registry', () => {
  it.each([
    ['an authority of one’s own', () => ({}), () => ({ tlsCaFile: parties.authority.caFile })],
    ['a client certificate', () => ({ clientCaFile: parties.authority.caFile }), () => ({ tlsCaFile: parties.authority.caFile, tlsCertFile: parties.client.certFile, tlsKeyFile: parties.client.keyFile })], // prettier-ignore
    ['user and password', () => ({ authorization: BASIC }), () => ({ tlsCaFile: parties.authority.caFile, username: 'farm', password: 'pass:word' })], // prettier-ignore
    [
      'a token',
      () => ({ authorization: 'Bearer abc' }),
      () => ({ tlsCaFile: parties.authority.caFile, token: 'abc' }),
    ],
  ])('is reached with %s', async (_what, proxy, settings) => {
    expect(await roundTrip(proxy(), settings())).toEqual({ id: 7 });
  });

  it.each([
    [
      'an unknown authority',
      () => ({}),
      () => ({ tlsCaFile: parties.otherCaFile }),
      'REG011',
      'registry.tlsCaFile',
    ],
    ['no authority of its own', () => ({}), () => ({}), 'REG011', 'registry.tlsCaFile'],
    ['no client certificate', () => ({ clientCaFile: parties.authority.caFile }), () => ({ tlsCaFile: parties.authority.caFile }), 'REG011', 'registry.tlsCertFile'], // prettier-ignore
    ['a wrong password', () => ({ authorization: BASIC }), () => ({ tlsCaFile: parties.authority.caFile, username: 'farm', password: 'guess' }), 'REG010', 'registry.password'], // prettier-ignore
    ['no login', () => ({ authorization: 'Bearer abc' }), () => ({ tlsCaFile: parties.authority.caFile }), 'REG010', 'registry.token'], // prettier-ignore
  ])('says so where it meets %s, and may heal', async (_what, proxy, settings, code, named) => {
    const failing = roundTrip(proxy(), settings());
    await expect(failing).rejects.toMatchObject({
      code,
      retryable: true,
      message: expect.stringContaining(named) as string,
    });
    await expect(failing).rejects.not.toThrow('guess');
  });
});
