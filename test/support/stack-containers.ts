/** The stack as containers of docker-compose.yml, where an engine and its compose plugin answer. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from 'testcontainers';
import { PORT_SETTINGS, STACK_PG_PASSWORD, STACK_PG_USER } from '../../src/stack/config.ts';
import type { Component, PgEndpoint, StackEndpoints, StackPorts } from '../../src/stack/config.ts';
import type { StackProvider } from '../../src/stack/provider.ts';

const run = promisify(execFile);

export interface ContainerStack {
  readonly projectDir: string;
  /** Compose's project: containers of different runs do not meet. */
  readonly project: string;
  readonly ports: StackPorts;
  readonly statePort: number;
}

const SERVICES = ['kafka', 'registry', 'connect', 'source', 'state-store'] as const;

/** The compose service of a part; Postgres is the source's. */
const SERVICE_OF: Readonly<Record<Component, (typeof SERVICES)[number]>> = {
  postgres: 'source',
  kafka: 'kafka',
  registry: 'registry',
  connect: 'connect',
};

/** True where `docker` and `docker compose` work. */
export async function hasEngine(): Promise<boolean> {
  try {
    await run('docker', ['info'], { timeout: 10_000 });
    await run('docker', ['compose', 'version'], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

export function containerProvider(stack: ContainerStack): StackProvider {
  let started: StartedDockerComposeEnvironment | null = null;
  const compose = (...args: string[]) =>
    run('docker', ['compose', '-p', stack.project, ...args], {
      cwd: stack.projectDir,
      env: { ...process.env, ...environment(stack) },
    });
  return {
    start: async () => {
      if (started === null) {
        const waits = new DockerComposeEnvironment(stack.projectDir, 'docker-compose.yml')
          .withProjectName(stack.project)
          .withEnvironment(environment(stack))
          .withStartupTimeout(300_000);
        for (const service of SERVICES) waits.withWaitStrategy(`${service}-1`, Wait.forHealthCheck());
        started = await waits.up();
      } else {
        await compose('up', '--wait', '--detach');
      }
      return containerEndpoints(stack);
    },
    stop: async () => {
      await started?.down({ removeVolumes: true });
      started = null;
    },
    kill: async (component) => {
      await compose('kill', SERVICE_OF[component]);
    },
  };
}

export function containerEndpoints({ ports, statePort }: ContainerStack): StackEndpoints {
  const pg = (port: number, database: string): PgEndpoint => ({
    host: '127.0.0.1',
    port,
    user: STACK_PG_USER,
    password: STACK_PG_PASSWORD,
    database,
  });
  return {
    kafkaBrokers: [`127.0.0.1:${ports.kafka}`],
    connectUrl: `http://127.0.0.1:${ports.connect}`,
    registryUrl: `http://127.0.0.1:${ports.registry}`,
    registryUrlForConnect: 'http://registry:8080',
    sourcePg: pg(ports.postgres, 'farm'),
    sourceForConnect: { host: 'source', port: 5432 },
    statePg: pg(statePort, 'anchorline'),
  };
}

function environment({ ports, statePort }: ContainerStack): Record<string, string> {
  const named = Object.entries(PORT_SETTINGS).map(([key, setting]) => [
    setting,
    String(ports[key as keyof StackPorts]),
  ]);
  return { ...Object.fromEntries(named), STATE_STORE_PORT: String(statePort) };
}
