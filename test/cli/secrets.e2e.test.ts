/**
 * Secrets that no other text has, in every place where one can be given; then everything that a person runs, working
 * and failing, as talkative as it can be. None of what is said has any of them.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { createSourceSchema } from '../../src/demo/source-database.ts';
import { Certificates } from '../support/certificates.ts';
import type { Issued } from '../support/certificates.ts';
import { anchorline } from '../support/cli.ts';
import { PipelineProcess } from '../support/pipeline-process.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { BROKER_USER, startSecureBroker } from '../support/secure-broker.ts';
import type { SecureBroker } from '../support/secure-broker.ts';
import { endpointsOf } from '../support/stack-provider.ts';
import { startTlsProxy } from '../support/tls-proxy.ts';
import type { TlsProxy } from '../support/tls-proxy.ts';
import { startTokenEndpoint } from '../support/token-endpoint.ts';
import type { TokenEndpoint } from '../support/token-endpoint.ts';

const endpoints = endpointsOf(inject('stack'));

const SECRETS = {
  store: 'st0re-s3cret@one',
  admin: 'adm1n-s3cret:two',
  role: "r0le-s3cret'three",
  sasl: BROKER_USER.password,
  client: 'cl1ent-s3cret/four',
  connect: 'c0nnect-s3cret//five',
  registry: 'reg1stry-s3cret&six',
  passphrase: 'passphrase-s3cret://seven',
  wrong: 'wr0ng-s3cret@eight',
} as const;
const USER = 'operator';

/** In every form in which one may be met. */
const TRACES = Object.entries(SECRETS).flatMap(([name, secret]) => {
  const forms = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    // Behind whatever user: three bytes are four letters, so the beginning depends on what stands before.
    ...['', 'x', 'xx'].flatMap((before) =>
      [secret, formEncoded(secret)].map((text) => base64Middle(before, text)),
    ),
    // The rest, where a mask ends too early.
    secret.replace(/^.*(?=s3cret)/, ''),
  ];
  return [...new Set(forms)].map((form) => ({ name, form }));
});

function formEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll('-', '%2D');
}

function base64Middle(before: string, secret: string): string {
  const whole = Buffer.from(before + secret).toString('base64');
  return whole.slice(before === '' ? 0 : 4, Math.floor((before.length + secret.length) / 3) * 4);
}

let made: Certificates;
let postgres: PostgresServer;
let broker: SecureBroker;
let tokens: TokenEndpoint;
let registry: TlsProxy;
let connect: TlsProxy;
let settings: Readonly<Record<string, string>>;

beforeAll(async () => {
  made = await Certificates.open();
  const authority = await made.authority();
  const [server, locked] = await Promise.all([
    authority.issue('server'),
    authority.issue('client', 'DNS:client', SECRETS.passphrase),
  ]);
  postgres = await startPostgres({ wal_level: 'logical' }, undefined, {
    'pg_hba.conf': 'host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n',
  });
  await prepare();
  broker = await startSecureBroker(made, authority);
  tokens = await startTokenEndpoint(({ authorization }) =>
    credentialsOf(authorization) === `client:${SECRETS.client}`
      ? { body: { access_token: broker.token(300), token_type: 'Bearer', expires_in: 300 } }
      : { status: 401, body: { error: 'invalid_client' } },
  );
  const front = (url: string, password: string) =>
    startTlsProxy({
      url,
      certificate: server,
      clientCaFile: authority.caFile,
      authorization: basic(USER, password),
    });
  registry = await front(endpoints.registryUrl, SECRETS.registry);
  connect = await front(endpoints.connectUrl, SECRETS.connect);
  settings = settingsOf(authority.caFile, locked);
});
afterAll(() =>
  Promise.all([connect, registry, tokens, broker, postgres, made].map((part) => part[Symbol.asyncDispose]())),
);

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** OAuth has both parts encoded as a form is. */
function credentialsOf(authorization = ''): string {
  return decodeURIComponent(Buffer.from(authorization.slice('Basic '.length), 'base64').toString());
}

async function prepare(): Promise<void> {
  const admin = new pg.Client({ ...postgres });
  await admin.connect();
  for (const [role, password] of [
    ['keeper', SECRETS.store],
    ['farmer', SECRETS.admin],
  ] as const) {
    // prettier-ignore
    await admin.query(`CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
  }
  await admin.query('CREATE DATABASE state');
  await createSourceSchema(admin, 'newer');
  await admin.end();
}

const SECRET_SETTINGS = () => ({
  ANCHORLINE_STORE_URL: urlOf('keeper', SECRETS.store, 'state'),
  ANCHORLINE_SOURCE_ADMIN_URL: urlOf('farmer', SECRETS.admin),
  ANCHORLINE_SOURCE_PASSWORD: SECRETS.role,
  ANCHORLINE_KAFKA_SASL_PASSWORD: SECRETS.sasl,
  ANCHORLINE_CONNECT_PASSWORD: SECRETS.connect,
  ANCHORLINE_CONNECT_TLS_KEY_PASSPHRASE: SECRETS.passphrase,
  ANCHORLINE_REGISTRY_PASSWORD: SECRETS.registry,
  ANCHORLINE_REGISTRY_TLS_KEY_PASSPHRASE: SECRETS.passphrase,
});

function urlOf(role: string, password: string, database = 'postgres'): string {
  return `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${postgres.port}/${database}`;
}

function settingsOf(caFile: string, { certFile, keyFile }: Issued): Record<string, string> {
  const tls = (section: string) => ({
    [`ANCHORLINE_${section}_TLS_CA_FILE`]: caFile,
    [`ANCHORLINE_${section}_TLS_CERT_FILE`]: certFile,
    [`ANCHORLINE_${section}_TLS_KEY_FILE`]: keyFile,
    [`ANCHORLINE_${section}_USERNAME`]: USER,
  });
  return {
    ...SECRET_SETTINGS(),
    ...tls('CONNECT'),
    ...tls('REGISTRY'),
    ANCHORLINE_CONNECT_URL: connect.url,
    ANCHORLINE_REGISTRY_URL: `${registry.url}/apis/ccompat/v7`,
    ANCHORLINE_KAFKA_BROKERS: broker.sasl,
    ANCHORLINE_KAFKA_TLS: 'true',
    ANCHORLINE_KAFKA_TLS_CA_FILE: caFile,
    ANCHORLINE_KAFKA_SASL_MECHANISM: 'plain',
    ANCHORLINE_KAFKA_SASL_USERNAME: BROKER_USER.username,
    ANCHORLINE_STORE_TIMESCALE: 'off',
    ANCHORLINE_TOPICS_NAMESPACE: 'secrets',
    ANCHORLINE_TOPICS_PREFIX: 'secrets_farm',
    ANCHORLINE_TOPICS_PARTITIONS: '1',
    ANCHORLINE_TOPICS_LARGE_PARTITIONS: '1',
    ANCHORLINE_SOURCE_ROLE: 'secrets_cdc',
    ANCHORLINE_CONNECT_CONNECTOR: 'secrets_cdc',
    ANCHORLINE_HTTP_PORT: '0',
    ANCHORLINE_LOG_LEVEL: 'trace',
  };
}

const oauth = (secret: string) => ({
  ANCHORLINE_KAFKA_SASL_MECHANISM: 'oauthbearer',
  ANCHORLINE_KAFKA_SASL_USERNAME: '',
  ANCHORLINE_KAFKA_SASL_PASSWORD: '',
  ANCHORLINE_KAFKA_OAUTH_TOKEN_URL: tokens.url,
  ANCHORLINE_KAFKA_OAUTH_CLIENT_ID: 'client',
  ANCHORLINE_KAFKA_OAUTH_CLIENT_SECRET: secret,
});

const allWrong = () => ({
  ANCHORLINE_STORE_URL: urlOf('keeper', SECRETS.wrong),
  ANCHORLINE_KAFKA_SASL_PASSWORD: SECRETS.wrong,
  ANCHORLINE_CONNECT_PASSWORD: SECRETS.wrong,
  ANCHORLINE_REGISTRY_PASSWORD: SECRETS.wrong,
});

/** The secrets by files, as they are mounted. */
async function fromFiles(): Promise<Record<string, string>> {
  const folder = join(made.folder, 'mounted');
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  const files: Record<string, string> = {};
  for (const [name, value] of Object.entries(SECRET_SETTINGS())) {
    files[name] = '';
    files[`${name}_FILE`] = join(folder, name);
    await writeFile(join(folder, name), `${value}\n`);
  }
  return files;
}

async function said(command: string, env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = await anchorline(['--debug', ...command.split(' ')], {
    ...settings,
    ...env,
  });
  return { status, output: stdout + stderr };
}

function expectNoTrace(output: string): void {
  expect(TRACES.filter(({ form }) => output.includes(form))).toEqual([]);
}

describe('no secret is told', () => {
  // In this order: each finds what the one before it made.
  it.each([
    ['config', 0, 'store.url'],
    ['migrate', 0, 'schema'],
    ['topics plan', 0, 'secrets.daily-state'],
    ['topics apply', 0, 'secrets.daily-state'],
    ['connectors plan', null, 'secrets_cdc'],
    ['connectors plan --json', null, 'secrets_cdc'],
    ['connectors status', 1, 'secrets_cdc'],
    ['status', 0, 'daily rows'],
    ['doctor', null, 'Connect'],
    ['doctor --json', null, 'connect'],
    ['anomalies', 0, ''],
    ['dead-letters list', 0, ''],
  ])('by %s', async (command, status, about) => {
    const told = await said(command);
    expectNoTrace(told.output);
    expect(told.output).toContain(about);
    if (status !== null) expect(told).toMatchObject({ status });
  });

  it.each([
    ['config', 0, 'mounted'],
    ['topics plan', 0, 'topics are as they should be'],
    ['connectors plan', null, 'secrets_cdc'],
  ])('by %s, where they come from files', async (command, status, about) => {
    const told = await said(command, await fromFiles());
    expectNoTrace(told.output);
    expect(told.output).toContain(about);
    if (status !== null) expect(told).toMatchObject({ status });
  });

  it.each([
    [
      'the store’s password',
      'status',
      () => ({ ANCHORLINE_STORE_URL: urlOf('keeper', SECRETS.wrong) }),
      'STO002',
    ],
    ['the administrator’s password', 'connectors plan', () => ({ ANCHORLINE_SOURCE_ADMIN_URL: urlOf('farmer', SECRETS.wrong) }), 'CON009'], // prettier-ignore
    [
      'the brokers’ password',
      'topics plan',
      () => ({ ANCHORLINE_KAFKA_SASL_PASSWORD: SECRETS.wrong }),
      'KAF010',
    ],
    [
      'Connect’s password',
      'connectors status',
      () => ({ ANCHORLINE_CONNECT_PASSWORD: SECRETS.wrong }),
      'CON003',
    ],
    ['Connect’s url', 'connectors status', () => ({ ANCHORLINE_CONNECT_URL: `http://u:${SECRETS.wrong}@127.0.0.1:1` }), 'CFG001'], // prettier-ignore
    ['a passphrase', 'connectors status', () => ({ ANCHORLINE_CONNECT_TLS_KEY_PASSPHRASE: SECRETS.wrong }), 'CFG006'], // prettier-ignore
    ['everything at once', 'doctor', allWrong, 'refuse'],
  ] as const)('where %s is wrong', async (_what, command, wrong, about) => {
    const told = await said(command, wrong());
    expectNoTrace(told.output);
    expect(told.output).toContain(about);
    expect(told.status).toBeGreaterThan(0);
  });

  it('where a client secret is right, and where it is wrong', async () => {
    const right = await said('topics plan', oauth(SECRETS.client));
    expect(right).toMatchObject({ status: 0 });
    const wrong = await said('topics plan', oauth(SECRETS.wrong));
    expect(wrong.output).toContain('KAF010');
    for (const { output } of [right, wrong]) expectNoTrace(output);
  });

  it('by a process that runs, by its health, and by one that does not come to run', async () => {
    const all = ['ingest', 'recompute', 'publish', 'scheduler'] as const;
    const running = await new PipelineProcess(all, settings).started();
    await running.logged(/^kafkajs .*Request/, 60_000);
    const at = running.messages.find((text) => text.startsWith('metrics and health at ')) ?? '';
    const http = at.slice('metrics and health at '.length);
    for (const path of ['metrics', 'readyz', 'livez'])
      expectNoTrace(await (await fetch(`${http}/${path}`)).text());
    await running.stop();
    const refused = new PipelineProcess(all, { ...settings, ANCHORLINE_KAFKA_SASL_PASSWORD: SECRETS.wrong });
    await refused.exited();
    expect(refused.text).toContain('KAF010');
    for (const { text } of [running, refused]) expectNoTrace(text);
  });
});
