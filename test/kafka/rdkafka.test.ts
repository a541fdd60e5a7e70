/** node-rdkafka where it is not, or not as it should be; and how the brokers' settings are said to it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { createBulkReader } from '../../src/kafka/bulk-reader-choice.ts';
import { KafkaJsBulkReader } from '../../src/kafka/bulk-reader-kafkajs.ts';
import { RdkafkaBulkReader } from '../../src/kafka/bulk-reader-rdkafka.ts';
import { CONNECTION_DEFAULTS } from '../../src/kafka/client.ts';
import type { KafkaConnection } from '../../src/kafka/client.ts';
import { oauthMechanism } from '../../src/kafka/oauth-login.ts';
import { loadRdkafka } from '../../src/kafka/rdkafka.ts';
import type { Rdkafka, RdkafkaLoaded } from '../../src/kafka/rdkafka.ts';
import { rdkafkaAccessOf } from '../../src/kafka/rdkafka-access.ts';
import { createLogger } from '../../src/runtime/logger.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-rdkafka-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A place to look in, which holds a package of that name. */
async function placeWith(name: string, code: string): Promise<string> {
  const module = join(folder, name, 'node_modules', 'node-rdkafka');
  await mkdir(module, { recursive: true });
  await writeFile(join(module, 'index.js'), code);
  return join(folder, name, 'package.json');
}

describe('node-rdkafka', () => {
  it('is looked for in each place in turn', async () => {
    const there = await placeWith('there', 'exports.KafkaConsumer = class {}');
    const { rdkafka } = loadRdkafka([join(folder, 'nowhere', 'package.json'), there]);
    expect(rdkafka?.KafkaConsumer).toBeTypeOf('function');
  });

  it('is said not to be there, or not to load, with the mend', async () => {
    const mend = '`npm run rdkafka:build` builds it';
    expect(loadRdkafka([join(folder, 'nowhere', 'package.json')])).toEqual({
      rdkafka: null,
      why: `node-rdkafka is not there; ${mend}`,
    });
    const broken = await placeWith('broken', 'throw new Error("built for another Node\\nby its version")');
    expect(loadRdkafka([broken])).toEqual({
      rdkafka: null,
      why: `node-rdkafka cannot be loaded (built for another Node); ${mend}`,
    });
  });
});

const plain: KafkaConnection = { ...CONNECTION_DEFAULTS, brokers: ['a:1', 'b:2'], clientId: 'test' };

describe('settings of the brokers', () => {
  const settingsOf = (over: Partial<KafkaConnection>) => {
    const access = rdkafkaAccessOf({ ...plain, ...over });
    if (access.why !== null) throw new Error(access.why);
    return access.settings;
  };

  test('plain text', () => {
    expect(settingsOf({ connectionTimeoutMs: 10 })).toEqual({
      'metadata.broker.list': 'a:1,b:2',
      'client.id': 'test',
      'security.protocol': 'plaintext',
      'socket.connection.setup.timeout.ms': 1_000,
      'socket.timeout.ms': 30_000,
    });
  });

  test('TLS, with authorities that Node knows or others, and a certificate of ours', () => {
    const known = settingsOf({ tls: true });
    expect(known['security.protocol']).toBe('ssl');
    expect(known['ssl.ca.pem']).toContain(rootCertificates[0]);
    const tls = { ca: 'authority', cert: 'ours', key: 'key', passphrase: 'secret' };
    expect(settingsOf({ tls })).toMatchObject({
      'ssl.ca.pem': 'authority',
      'ssl.certificate.pem': 'ours',
      'ssl.key.pem': 'key',
      'ssl.key.password': 'secret',
    });
  });

  test('logins', async () => {
    const user = { username: 'u', password: 'p' };
    expect(settingsOf({ sasl: { mechanism: 'scram-sha-512', ...user } })).toMatchObject({
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.username': 'u',
      'sasl.password': 'p',
    });
    const sasl = oauthMechanism(async () => ({ value: 'a token' }));
    const access = rdkafkaAccessOf({ ...plain, tls: true, sasl });
    if (access.why !== null) throw new Error(access.why);
    expect(access.settings).toMatchObject({
      'security.protocol': 'sasl_ssl',
      'sasl.mechanism': 'OAUTHBEARER',
    });
    expect(await access.token?.()).toEqual({ value: 'a token' });
  });

  test('what it has no word for', () => {
    expect(rdkafkaAccessOf({ ...plain, tls: { servername: 'kafka' } }).why).toContain('kafka.tlsServerName');
    const sasl = { mechanism: 'own', authenticationProvider: () => ({ authenticate: async () => {} }) };
    expect(rdkafkaAccessOf({ ...plain, sasl }).why).toContain('kafka.saslMechanism');
  });
});

describe('the reader', () => {
  class KafkaConsumer {
    on = () => this;
    setDefaultConsumeTimeout = () => undefined;
  }
  const there: RdkafkaLoaded = { rdkafka: { KafkaConsumer } as unknown as Rdkafka, why: null };

  function choose(
    client: 'auto' | 'kafkajs' | 'rdkafka',
    connection: KafkaConnection,
    loaded: RdkafkaLoaded,
  ) {
    const said: string[] = [];
    const log = createLogger({ level: 'info', format: 'json' }, { write: (line) => void said.push(line) });
    const options = { connection, log, groupId: 'g', chunkBytes: 1_000, partitionsAtOnce: 1 };
    return { reader: createBulkReader(client, options, () => loaded), said };
  }

  it('is the one that is asked for, and nothing is said', () => {
    expect(choose('kafkajs', plain, there)).toEqual({ reader: expect.any(KafkaJsBulkReader), said: [] });
    expect(choose('rdkafka', plain, there)).toEqual({ reader: expect.any(RdkafkaBulkReader), said: [] });
  });

  it.each([
    ['it is not there', plain, { rdkafka: null, why: 'node-rdkafka is not there' }],
    ['the settings are beyond it', { ...plain, tls: { servername: 'kafka' } }, there],
  ])('is kafkajs where %s, which the log says once', (_why, connection, loaded) => {
    const { reader, said } = choose('rdkafka', connection, loaded);
    expect(reader).toBeInstanceOf(KafkaJsBulkReader);
    expect(said).toEqual([
      expect.stringMatching(/"level":"warn".*node-rdkafka .*: kafkajs reads the topics/),
    ]);
    expect(choose('kafkajs', connection, loaded).said).toEqual([]);
  });
});
