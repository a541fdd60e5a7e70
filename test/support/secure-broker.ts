/** A broker of a test's own that lets nobody in without TLS and a login, or a certificate. */
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { CONNECTION_DEFAULTS, createKafka } from '../../src/kafka/client.ts';
import { ensureJars } from '../../src/stack/jars.ts';
import { findJava } from '../../src/stack/java.ts';
import type { Authority, Certificates } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { silent } from './kafka-lab.ts';
import { PROJECT_DIR, processConfig } from './stack-provider.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 90_000;
const ISSUER = 'https://tokens.example';

export const BROKER_USER = { username: 'anchorline', password: 'pla1n-$ecret' } as const;
export const SCRAM_USER = { username: 'scrammed', password: 'scr@m-secret' } as const;

export interface SecureBroker extends AsyncDisposable {
  /** TLS, and PLAIN, SCRAM or OAUTHBEARER. */
  readonly sasl: string;
  /** TLS with a client certificate. */
  readonly certificates: string;
  /** Neither. */
  readonly plaintext: string;
  /** A token that the broker takes for `lifeS` seconds, signed by the key that it knows unless told otherwise. */
  token(lifeS: number, by?: 'known' | 'unknown'): string;
}

/** `authorizer`: who logs in may do only what ACLs allow; who comes by plain text may do everything. */
export async function startSecureBroker(
  made: Certificates,
  authority: Authority,
  { authorizer = false } = {},
): Promise<SecureBroker> {
  const config = processConfig(join(PROJECT_DIR, '.anchorline', 'unused'), {});
  const [java, jars] = await Promise.all([findJava(config.javaHome), ensureJars(config, () => undefined)]);
  const home = await mkdtemp(join(tmpdir(), 'anchorline-broker-'));
  const [sasl = 0, certificates = 0, plaintext = 0, controller = 0] = await freePorts(4);
  const keys = { known: newKey(), unknown: newKey() };
  const jwks = join(home, 'jwks.json');
  await writeFile(jwks, JSON.stringify({ keys: [keys.known.jwk] }));
  const properties = join(home, 'server.properties');
  const settings = {
    ...listeners({ sasl, certificates, plaintext, controller }),
    ...alone(join(home, 'logs')),
    ...pemStores(await made.keyStore(await authority.issue('broker')), authority.caFile),
    ...logins(jwks),
    'listener.name.certificates.ssl.client.auth': 'required',
    ...(authorizer ? GUARDED : {}),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${String(value)}`);
  await writeFile(properties, `${lines.join('\n')}\n`);
  const flags = [
    '-Xmx384m',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    `-Dlog4j2.configurationFile=${join(PROJECT_DIR, 'ops', 'stack', 'log4j2.properties')}`,
    `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${jwks}`,
    `-Dorg.apache.kafka.sasl.oauthbearer.allowed.files=${jwks}`,
    '-cp',
    join(jars.kafka, '*'),
  ];
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${SCRAM_USER.username},password=${SCRAM_USER.password}]`,
  ]);
  const format = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', 'AnchorlineSecureBroker0', '-c', properties]; // prettier-ignore
  await run(java.command, [...flags, ...format, ...scram]);
  const log = await open(join(home, 'broker.log'), 'a');
  const child = spawn(java.command, [...flags, 'kafka.Kafka', properties], {
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await log.close();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await started(`127.0.0.1:${plaintext}`, join(home, 'broker.log'), child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    sasl: `127.0.0.1:${sasl}`,
    certificates: `127.0.0.1:${certificates}`,
    plaintext: `127.0.0.1:${plaintext}`,
    token: (lifeS, by = 'known') => tokenOf(keys[by].sign, lifeS),
    [Symbol.asyncDispose]: stop,
  };
}

const GUARDED = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

function listeners(ports: Record<'sasl' | 'certificates' | 'plaintext' | 'controller', number>) {
  const at = (name: keyof typeof ports) => `${name.toUpperCase()}://127.0.0.1:${ports[name]}`;
  const all = [at('sasl'), at('certificates'), at('plaintext'), at('controller')].join(',');
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: all,
    'advertised.listeners': all,
    'listener.security.protocol.map':
      'SASL:SASL_SSL,CERTIFICATES:SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${ports.controller}`,
  };
}

function alone(logs: string) {
  return {
    'log.dirs': logs,
    'auto.create.topics.enable': false,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 2,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
  };
}

function pemStores(keyStore: string, caFile: string) {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
  };
}

function logins(jwks: string) {
  const { username, password } = BROKER_USER;
  const security = 'org.apache.kafka.common.security';
  const of = (mechanism: string, key: string) => `listener.name.sasl.${mechanism}.${key}`;
  return {
    'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [of('plain', 'sasl.jaas.config')]:
      `${security}.plain.PlainLoginModule required user_${username}="${password}";`,
    [of('scram-sha-256', 'sasl.jaas.config')]: `${security}.scram.ScramLoginModule required;`,
    [of('scram-sha-512', 'sasl.jaas.config')]: `${security}.scram.ScramLoginModule required;`,
    [of('oauthbearer', 'sasl.jaas.config')]: `${security}.oauthbearer.OAuthBearerLoginModule required;`,
    [of('oauthbearer', 'sasl.server.callback.handler.class')]:
      `${security}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    [of('oauthbearer', 'sasl.oauthbearer.jwks.endpoint.url')]: `file://${jwks}`,
    [of('oauthbearer', 'sasl.oauthbearer.expected.audience')]: 'kafka',
    [of('oauthbearer', 'sasl.oauthbearer.expected.issuer')]: ISSUER,
    [of('oauthbearer', 'sasl.oauthbearer.clock.skew.seconds')]: 0,
    // A session ends with its token.
    [of('oauthbearer', 'connections.max.reauth.ms')]: 3_600_000,
  };
}

async function started(
  plaintext: string,
  logFile: string,
  child: { readonly exitCode: number | null },
): Promise<void> {
  const limit = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const admin = createKafka({ ...CONNECTION_DEFAULTS, brokers: [plaintext], clientId: 'test' }, silent, { retries: 0 }).admin(); // prettier-ignore
    try {
      await admin.connect();
      return;
    } catch {
      if (child.exitCode !== null || Date.now() > limit) {
        const text = await readFile(logFile, 'utf8');
        throw new Error(`the broker does not start: ${text.slice(-3_000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await admin.disconnect();
    }
  }
}

function newKey() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'tests', use: 'sig', alg: 'RS256' },
    sign: (text: string) => sign('sha256', Buffer.from(text), privateKey).toString('base64url'),
  };
}

function tokenOf(signed: (text: string) => string, lifeS: number): string {
  const nowS = Math.floor(Date.now() / 1_000);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = {
    iss: ISSUER,
    sub: 'anchorline',
    aud: 'kafka',
    scope: 'kafka',
    iat: nowS - 60,
    exp: nowS + lifeS,
  };
  const text = `${encode({ alg: 'RS256', kid: 'tests', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${signed(text)}`;
}
