/** docker-compose.yml says the same as the stack of processes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { DEFAULT_PORTS, PORT_SETTINGS, type StackPorts } from '../../src/stack/config.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly healthcheck?: unknown;
}

const text = await readFile(join(PROJECT_DIR, 'docker-compose.yml'), 'utf8');
const services = (parse(text) as { services: Record<string, Service> }).services;
const pom = (module: string) => readFile(join(PROJECT_DIR, 'ops', 'stack', module, 'pom.xml'), 'utf8');

describe('docker-compose.yml', () => {
  test('publishes every port under the same setting and default, on this machine alone', () => {
    const published = Object.values(services).flatMap(({ ports }) => ports ?? []);
    for (const key of ['postgres', 'kafka', 'registry', 'connect'] as const satisfies (keyof StackPorts)[]) {
      const start = `127.0.0.1:\${${PORT_SETTINGS[key]}:-${DEFAULT_PORTS[key]}}:`;
      expect(published.filter((port) => port.startsWith(start))).toHaveLength(1);
    }
    expect(published.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
  });

  test('runs the versions that the poms pin', async () => {
    const versionOf = async (module: string, artifact: string) =>
      new RegExp(`<artifactId>${artifact}</artifactId>\\s*<version>([^<]+)<`).exec(await pom(module))?.[1];
    expect(services['kafka']?.image).toBe(`apache/kafka:${await versionOf('kafka', 'kafka_2.13')}`);
    expect(services['registry']?.image).toBe(
      `apicurio/apicurio-registry:${await versionOf('registry', 'apicurio-registry-app')}`,
    );
    expect(services['connect']?.image).toBe(
      `quay.io/debezium/connect:${await versionOf('connect', 'debezium-connector-postgres')}`,
    );
  });

  test('says how the host reaches what is elsewhere than the defaults', () => {
    const said = Object.fromEntries(
      [...text.matchAll(/(ANCHORLINE_(?:STORE_URL|CONNECT_[A-Z_]+))=(\S+)/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    const { config, warnings } = loadConfig({ env: said, file: null, readFile: () => '' });
    expect(warnings).toEqual([]);
    const published = services['state-store']?.ports?.[0] ?? '';
    expect(published).toContain(`:-${new URL(config.store.url).port}}:5432`);
    expect(Object.keys(services)).toContain(config.connect.sourceHost);
    expect(Object.keys(services)).toContain(new URL(config.connect.registryUrl).hostname);
  });

  test('has a health check for every service', () => {
    expect(Object.entries(services).filter(([, service]) => service.healthcheck === undefined)).toEqual([]);
  });
});
