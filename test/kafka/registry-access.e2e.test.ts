/** The real registry behind TLS, client certificates and logins. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { createAvroDecoder, createAvroEncoder } from '../../src/kafka/avro.ts';
import { registryOf } from '../../src/wiring-access.ts';
import { Certificates } from '../support/certificates.ts';
import type { Issued } from '../support/certificates.ts';
import { confluentRegistryUrl } from '../../src/stack/config.ts';
import { endpointsOf } from '../support/stack-provider.ts';
import { startTlsProxy } from '../support/tls-proxy.ts';
import type { ProxyOptions } from '../support/tls-proxy.ts';

const PATH = '/apis/ccompat/v7';
const SCHEMA = { type: 'record', name: 'Row', namespace: 'access', fields: [{ name: 'id', type: 'long' }] };

let made: Certificates;
let caFile: string;
let otherCaFile: string;
let server: Issued;
let client: Issued;
let backend: string;

beforeAll(async () => {
  backend = confluentRegistryUrl(endpointsOf(inject('stack'))).replace(PATH, '');
  made = await Certificates.open();
  const [authority, other] = await Promise.all([made.authority(), made.authority('another')]);
  caFile = authority.caFile;
  otherCaFile = other.caFile;
  server = await authority.issue('registry');
  client = await authority.issue('client');
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
    ['an authority of one’s own', () => ({}), () => ({ tlsCaFile: caFile })],
    ['a client certificate', () => ({ clientCaFile: caFile }), () => ({ tlsCaFile: caFile, tlsCertFile: client.certFile, tlsKeyFile: client.keyFile })], // prettier-ignore
    ['user and password', () => ({ authorization: BASIC }), () => ({ tlsCaFile: caFile, username: 'farm', password: 'pass:word' })], // prettier-ignore
    ['a token', () => ({ authorization: 'Bearer abc' }), () => ({ tlsCaFile: caFile, token: 'abc' })],
  ])('is reached with %s', async (_what, proxy, settings) => {
    expect(await roundTrip(proxy(), settings())).toEqual({ id: 7 });
  });

  it.each([
    ['an unknown authority', () => ({}), () => ({ tlsCaFile: otherCaFile }), 'REG011', 'registry.tlsCaFile'],
    ['no authority of its own', () => ({}), () => ({}), 'REG011', 'registry.tlsCaFile'],
    ['no client certificate', () => ({ clientCaFile: caFile }), () => ({ tlsCaFile: caFile }), 'REG011', 'registry.tlsCertFile'], // prettier-ignore
    ['a wrong password', () => ({ authorization: BASIC }), () => ({ tlsCaFile: caFile, username: 'farm', password: 'guess' }), 'REG010', 'registry.password'], // prettier-ignore
    ['no login', () => ({ authorization: 'Bearer abc' }), () => ({ tlsCaFile: caFile }), 'REG010', 'registry.token'], // prettier-ignore
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
