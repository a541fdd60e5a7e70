/** Connect behind TLS and a login; and a connector whose every connection is secured and whose password Connect does not know. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { connectClientOf, deploymentOf } from '../../src/cli/deployment.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/load.ts';
import { prepareSource } from '../../src/connect/source.ts';
import { createSourceSchema } from '../../src/demo/source-database.ts';
import { changeTopic } from '../../src/domain/topics.ts';
import { findJava } from '../../src/stack/java.ts';
import { sourceAdminOf, sourceSettingsOf } from '../../src/wiring.ts';
import { Certificates } from '../support/certificates.ts';
import type { Authority, Issued } from '../support/certificates.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { PROJECT_DIR, endpointsOf } from '../support/stack-provider.ts';
import { kafkaOf, readTopics } from '../support/stack-records.ts';
import { startTlsProxy } from '../support/tls-proxy.ts';
import type { ProxyOptions, TlsProxy } from '../support/tls-proxy.ts';

const plan = inject('stack');
const endpoints = endpointsOf(plan);
const run = `secured_${Date.now().toString(36)}`;
const PASSWORD = 'farm-pa55:word';
const LOGIN = { username: 'operator', password: 'connect-pa55' };
const basic = ({ username, password }: typeof LOGIN) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

let made: Certificates;
let authority: Authority;
let other: Authority;
let server: Issued;
let client: Issued;

beforeAll(async () => {
  made = await Certificates.open();
  [authority, other] = await Promise.all([made.authority(), made.authority('another')]);
  server = await authority.issue('server');
  client = await authority.issue('anchorline_cdc');
});
afterAll(() => made[Symbol.asyncDispose]());

function configOf(sections: object): Config {
  const text = JSON.stringify(sections);
  return loadConfig({ env: {}, file: 'settings', readFile: () => text }).config;
}

const certificateSettings = () => ({
  tlsCaFile: authority.caFile,
  tlsCertFile: client.certFile,
  tlsKeyFile: client.keyFile,
});

describe('Connect behind TLS', () => {
  const reached = async (proxy: Partial<ProxyOptions>, settings: object): Promise<readonly string[]> => {
    await using front = await startTlsProxy({ url: endpoints.connectUrl, certificate: server, ...proxy });
    return await connectClientOf(configOf({ connect: { url: front.url, ...settings } })).connectors();
  };

  it.each([
    ['an authority of one’s own', () => ({}), () => ({ tlsCaFile: authority.caFile })],
    ['a client certificate', () => ({ clientCaFile: authority.caFile }), certificateSettings],
    ['user and password', () => ({ authorization: basic(LOGIN) }), () => ({ tlsCaFile: authority.caFile, ...LOGIN })], // prettier-ignore
    ['a token', () => ({ authorization: 'Bearer abc' }), () => ({ tlsCaFile: authority.caFile, token: 'abc' })], // prettier-ignore
  ])('is reached with %s', async (_what, proxy, settings) => {
    expect(await reached(proxy(), settings())).toEqual(expect.any(Array));
  });

  it.each([
    ['an unknown authority', () => ({}), () => ({ tlsCaFile: other.caFile }), 'CON002', 'connect.tlsCaFile'],
    ['no client certificate', () => ({ clientCaFile: authority.caFile }), () => ({ tlsCaFile: authority.caFile }), 'CON002', 'connect.tlsCertFile'], // prettier-ignore
    ['a wrong password', () => ({ authorization: basic(LOGIN) }), () => ({ tlsCaFile: authority.caFile, ...LOGIN, password: 'guess-w0rd' }), 'CON003', 'connect.password'], // prettier-ignore
    ['no login', () => ({ authorization: 'Bearer abc' }), () => ({ tlsCaFile: authority.caFile }), 'CON003', 'connect.token'], // prettier-ignore
  ])('says so where it meets %s', async (_what, proxy, settings, code, named) => {
    const failing = reached(proxy(), settings());
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining(named) as string });
    await expect(failing).rejects.not.toThrow('guess-w0rd');
  });
});

/** Parts in containers reach neither this host's ports nor its files. */
if (plan.kind === 'processes') {
  describe('a connector', () => {
    let farm: PostgresServer;
    let registry: TlsProxy;
    let connect: TlsProxy;
    let config: Config;

    beforeAll(async () => {
      farm = await startPostgres({ wal_level: 'logical', ssl: 'on', ssl_ca_file: 'clients.crt' }, undefined, {
        'server.crt': await readFile(server.certFile, 'utf8'),
        'server.key': await readFile(server.keyFile, 'utf8'),
        'clients.crt': await readFile(authority.caFile, 'utf8'),
        // The connector's role shows a certificate and knows a password.
        'pg_hba.conf': `hostssl all anchorline_cdc 127.0.0.1/32 scram-sha-256 clientcert=verify-full
          host all postgres 127.0.0.1/32 trust`,
      });
      const admin = new pg.Client({ ...farm });
      await admin.connect();
      await createSourceSchema(admin, 'newer');
      await admin.end();
      const login = { authorization: basic(LOGIN) };
      registry = await startTlsProxy({ url: endpoints.registryUrl, certificate: server, ...login });
      connect = await startTlsProxy({ url: endpoints.connectUrl, certificate: server, ...login });
      config = configOf(await settingsOf());
      await prepareSource(sourceAdminOf(config), sourceSettingsOf(config));
    });
    afterAll(async () => {
      await connectClientOf(config).remove(run);
      await Promise.all([connect, registry, farm].map((part) => part[Symbol.asyncDispose]()));
    });

    /** All that an operator writes: settings, an environment over the shipped definition, a file for the workers. */
    async function settingsOf(): Promise<object> {
      await chmod(made.folder, 0o755);
      const keytool = join(dirname((await findJava(process.env['JAVA_HOME'] ?? null)).command), 'keytool');
      const trustStore = await made.trustStore(keytool, authority);
      const secrets = join(made.folder, 'farm.properties');
      await writeFile(secrets, `password=${PASSWORD}\nregistry=${LOGIN.password}\n`);
      const definition = join(made.folder, 'environment.yaml');
      const converters = ['key', 'value'].flatMap((side) => {
        const converter = `${side}.converter.apicurio`;
        return [
          `${converter}.auth.username: ${LOGIN.username}`,
          `${converter}.auth.password: \${file:${secrets}:registry}`,
          `${converter}.registry.request.ssl.truststore.location: ${trustStore}`,
          `${converter}.registry.request.ssl.truststore.type: JKS`,
          `${converter}.registry.request.ssl.truststore.password: changeit`,
        ];
      });
      const lines = [
        `base: ${join(PROJECT_DIR, 'connectors', 'farm-postgres.yaml')}`,
        `database.sslrootcert: ${authority.caFile}`,
        `database.sslcert: ${client.certFile}`,
        `database.sslkey: ${await made.derKey(client)}`,
        ...converters,
      ];
      await writeFile(definition, lines.join('\n'));
      return {
        topics: { prefix: run },
        source: {
          adminUrl: `postgres://postgres@127.0.0.1:${farm.port}/postgres`,
          tlsMode: 'verify-full',
          tlsCaFile: authority.caFile,
          password: PASSWORD,
          slot: run,
          publication: run,
        },
        connect: {
          url: connect.url,
          tlsCaFile: authority.caFile,
          ...LOGIN,
          connector: run,
          definition,
          registryUrl: registry.url,
          sslMode: 'verify-full',
          passwordReference: `\${file:${secrets}:password}`,
        },
      };
    }

    it('captures with every connection secured, and Connect is told no password', async () => {
      const topic = changeTopic(run, 'batch_batch');
      const { client: rest, definition } = await deploymentOf(config, false);
      await rest.apply(definition);
      await rest.awaitRunning(run, 60_000);
      const admin = new pg.Client({ ...farm });
      await admin.connect();
      await admin.query(
        "INSERT INTO batch_batch (batch_number, species_id, status, start_date) VALUES ('S1', 1, 'ACTIVE', '2024-01-02')",
      );
      const sessions = await admin.query<{ ssl: boolean; name: string | null }>(
        `SELECT s.ssl, s.client_dn AS name FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
         WHERE a.usename = 'anchorline_cdc'`,
      );
      expect(sessions.rows.length).toBeGreaterThan(0);
      for (const row of sessions.rows) expect(row).toEqual({ ssl: true, name: '/CN=anchorline_cdc' });
      await admin.end();

      await until(async () => (await kafkaAdmin((admin) => admin.listTopics())).includes(topic));
      await using records = await readTopics(endpoints, [topic], run);
      const { value } = await records.find(() => true);
      expect(value?.['after']).toMatchObject({ batch_number: 'S1' });

      const stored = JSON.stringify(await rest.config(run));
      expect(stored).not.toContain(PASSWORD);
      expect(stored).not.toContain(LOGIN.password);
      expect(stored).toContain(`\${file:${join(made.folder, 'farm.properties')}:password}`);
    });

    it('is refused where the farm is not who it should be', async () => {
      const text = JSON.stringify({ source: { ...config.source, tlsCaFile: other.caFile } });
      const wrong = loadConfig({ env: {}, file: 'settings', readFile: () => text }).config;
      await expect(prepareSource(sourceAdminOf(wrong), sourceSettingsOf(wrong))).rejects.toMatchObject({
        code: 'CON009',
        message: expect.stringContaining('check source.tlsMode, source.tlsCaFile') as string,
      });
    });
  });
}

async function kafkaAdmin<T>(work: (admin: ReturnType<ReturnType<typeof kafkaOf>['admin']>) => Promise<T>) {
  const admin = kafkaOf(endpoints).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}
