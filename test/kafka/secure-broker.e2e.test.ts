/** TLS and logins against a real broker that insists on them, from settings to records. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { unpackRecords } from '../../src/kafka/bulk-reader.ts';
import { checkKafkaAccess } from '../../src/kafka/check-access.ts';
import type { KafkaConnection } from '../../src/kafka/client.ts';
import { ConsumerRunner } from '../../src/kafka/consumer-runner.ts';
import { KafkaDeadLetterTopic, KafkaRecomputeRequests } from '../../src/kafka/producers.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { kafkaConnectionOf } from '../../src/wiring.ts';
import { Certificates, PASSPHRASE } from '../support/certificates.ts';
import type { Issued, Parties } from '../support/certificates.ts';
import { BULK_READERS } from '../support/bulk-readers.ts';
import { KafkaLab, silent, until } from '../support/kafka-lab.ts';
import { BROKER_USER, SCRAM_USER, startSecureBroker } from '../support/secure-broker.ts';
import type { SecureBroker } from '../support/secure-broker.ts';
import { startTokenEndpoint } from '../support/token-endpoint.ts';
import type { TokenAnswer, TokenEndpoint } from '../support/token-endpoint.ts';

let made: Certificates;
let parties: Parties;
let broker: SecureBroker;
let tokens: TokenEndpoint;
let answer: () => TokenAnswer;

/** An endpoint that believes in its token, whatever the broker thinks of it. */
const tokenAnswer = (token: string, lifeS = 300): TokenAnswer => ({
  body: { access_token: token, token_type: 'Bearer', expires_in: lifeS },
});
const goodToken = (lifeS = 300): TokenAnswer => tokenAnswer(broker.token(lifeS), lifeS);

beforeAll(async () => {
  made = await Certificates.open();
  parties = await made.parties('client');
  broker = await startSecureBroker(made, parties.authority);
  answer = goodToken;
  tokens = await startTokenEndpoint(() => answer());
});
afterAll(async () => {
  await tokens[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
  await made[Symbol.asyncDispose]();
});

/** As a process makes it of its settings. */
function connectionOf(kafka: object): KafkaConnection {
  const text = JSON.stringify({ kafka: { tls: true, tlsCaFile: parties.authority.caFile, ...kafka } });
  return kafkaConnectionOf(loadConfig({ env: {}, file: 'settings', readFile: () => text }).config);
}

const sasl = (mechanism: string, user: { username: string; password: string }) => ({
  brokers: [broker.sasl],
  saslMechanism: mechanism,
  saslUsername: user.username,
  saslPassword: user.password,
});
const oauth = () => ({
  brokers: [broker.sasl],
  saslMechanism: 'oauthbearer',
  oauthTokenUrl: tokens.url,
  oauthClientId: 'anchorline',
  oauthClientSecret: 'cl1ent-secret',
});
const certificate = ({ certFile, keyFile }: Issued) => ({
  brokers: [broker.certificates],
  tlsCertFile: certFile,
  tlsKeyFile: keyFile,
});

async function readInBulk(
  client: string,
  connection: KafkaConnection,
  topic: string,
  to: bigint,
): Promise<string[]> {
  const values: string[] = [];
  await BULK_READERS[client]!({ connection, groupId: 'bulk' }).read(
    [{ topic, partition: 0, from: 0n, to }],
    async (chunk) => void values.push(...unpackRecords(chunk).map(({ value }) => String(value))),
    AbortSignal.timeout(60_000),
  );
  return values;
}

describe('a broker that insists on TLS', () => {
  it.each([
    ['PLAIN', () => sasl('plain', BROKER_USER)],
    ['SCRAM-SHA-256', () => sasl('scram-sha-256', SCRAM_USER)],
    ['SCRAM-SHA-512', () => sasl('scram-sha-512', SCRAM_USER)],
    ['OAUTHBEARER', oauth],
    ['a certificate', () => certificate(parties.client)],
    [
      'a certificate whose key is locked',
      () => ({ ...certificate(parties.locked), tlsKeyPassphrase: PASSPHRASE }),
    ],
  ])('lets admin, producers and consumers in by %s', async (_how, settings) => {
    answer = goodToken;
    const connection = connectionOf(settings());
    await checkKafkaAccess(connection, silent);
    await using lab = await KafkaLab.over(connection);
    const topic = await lab.topic();
    await lab.send(topic, 0, ['a', 'b']);
    await lab.transact(topic, 0, ['c'], 'commit');
    await lab.transact(topic, 0, ['d'], 'abort');
    expect((await lab.readAll(topic)).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
    for (const client of Object.keys(BULK_READERS)) {
      expect([client, await readInBulk(client, connection, topic, 3n)]).toEqual([client, ['a', 'b', 'c']]);
    }
  });

  it.each(Object.keys(BULK_READERS))('tells who reads in bulk by %s what is wrong', async (client) => {
    const refused = connectionOf(sasl('plain', { ...BROKER_USER, password: 'guess-w0rd' }));
    await expect(readInBulk(client, refused, 'any', 1n)).rejects.toMatchObject({
      code: 'KAF010',
      retryable: true,
      message: expect.stringContaining('kafka.saslMechanism') as string,
    });
    const unknown = connectionOf({ ...sasl('plain', BROKER_USER), tlsCaFile: parties.otherCaFile });
    await expect(readInBulk(client, unknown, 'any', 1n)).rejects.toMatchObject({ code: 'KAF011' });
  });

  it.each([
    ['a wrong password', () => sasl('plain', { ...BROKER_USER, password: 'guess-w0rd' }), 'KAF010', 'kafka.saslMechanism'], // prettier-ignore
    ['a user that is not there', () => sasl('scram-sha-512', { username: 'nobody', password: 'guess-w0rd' }), 'KAF010', 'kafka.saslMechanism'], // prettier-ignore
    ['an unknown authority', () => ({ ...sasl('plain', BROKER_USER), tlsCaFile: parties.otherCaFile }), 'KAF011', 'kafka.tlsCaFile'], // prettier-ignore
    ['another name than the certificate’s', () => ({ ...sasl('plain', BROKER_USER), tlsServerName: 'kafka.example' }), 'KAF011', 'kafka.tlsServerName'], // prettier-ignore
    ['no certificate', () => ({ brokers: [broker.certificates] }), 'KAF011', 'kafka.tlsCertFile'],
    ['a stranger’s certificate', () => certificate(parties.stranger), 'KAF011', 'kafka.tlsCertFile'],
  ])('tells a process that starts what is wrong: %s', async (_what, settings, code, named) => {
    const checking = checkKafkaAccess(connectionOf(settings()), silent);
    await expect(checking).rejects.toMatchObject({
      name: 'ConfigurationError',
      code,
      message: expect.stringContaining(named) as string,
    });
    await expect(checking).rejects.not.toThrow('guess-w0rd');
  });

  it.each([
    ['expired', () => tokenAnswer(broker.token(-30)), 'KAF010', 'the broker refuses the login'],
    [
      'signed by another',
      () => tokenAnswer(broker.token(300, 'unknown')),
      'KAF010',
      'the broker refuses the login',
    ],
    ['refused', () => ({ status: 401, body: { error: 'invalid_client' } }), 'KAF010', 'kafka.oauthClientSecret'], // prettier-ignore
    ['not to be had', () => ({ status: 503, body: {} }), 'KAF012', 'kafka.oauthTokenUrl'],
  ])('… and a token that is %s', async (_what, given, code, said) => {
    answer = given;
    await expect(checkKafkaAccess(connectionOf(oauth()), silent)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(said) as string,
    });
  });
});

describe('a process that runs', () => {
  it('goes on past the end of its tokens and of its sessions', async () => {
    answer = () => goodToken(16);
    const connection = connectionOf(oauth());
    await using plain = await KafkaLab.open([broker.plaintext]);
    const topic = await plain.topic();
    const read: string[] = [];
    const problems: unknown[] = [];
    const stop = new AbortController();
    const runner = new ConsumerRunner({
      connection,
      groupId: plain.name('group'),
      topics: [topic],
      positions: 'group',
      handleBatch: (records) => {
        read.push(...records.map(({ value }) => String(value)));
        return Promise.resolve();
      },
      onFatal: (error) => problems.push(error),
      log: silent,
      clock: systemClock,
      events: { restarting: (_reason, error) => problems.push(error) },
    });
    const running = runner.run(stop.signal);
    const requests = new KafkaRecomputeRequests({
      connection,
      topic,
      log: silent,
      events: { lost: (_count, error) => problems.push(error) },
    });
    await until(
      () => read.length > 0,
      () => requests.request([1]),
    );
    // The first token, and every session that it opened, are past once a third was asked for.
    const before = tokens.requests.length;
    await until(
      () => tokens.requests.length >= before + 2,
      () => requests.request([2]),
    );
    await plain.send(topic, 0, ['late']);
    await until(() => read.includes('late'));
    expect(problems).toEqual([]);
    stop.abort();
    await Promise.all([running, requests.close()]);
  });

  it('tries a refused login again, and says so by code each time', async () => {
    const connection = connectionOf(sasl('plain', { ...BROKER_USER, password: 'guess-w0rd' }));
    const topic = new KafkaDeadLetterTopic({ connection, topic: 'any', log: silent, version: 'test' });
    const record = { topic: 't', partition: 0, offset: 0n, timestampMs: 0, key: null, value: null };
    const sending = topic.send([{ record, rejection: { code: 'REC001', message: '' } }]);
    await expect(sending).rejects.toMatchObject({ code: 'KAF010', retryable: true });
    await topic.close();

    const told: unknown[] = [];
    const stop = new AbortController();
    const runner = new ConsumerRunner({
      connection,
      groupId: 'refused',
      topics: ['any'],
      positions: 'group',
      handleBatch: () => Promise.resolve(),
      onFatal: (error) => told.push(error),
      log: silent,
      clock: systemClock,
      events: { restarting: (_reason, error) => told.push(error) },
    });
    const running = runner.run(stop.signal);
    await until(() => told.length >= 2);
    stop.abort();
    await running;
    for (const error of told) expect(error).toMatchObject({ code: 'KAF010', retryable: true });
  });
});
