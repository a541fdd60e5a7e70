/** Looks at Kafka Connect, through its REST API and, where one is set, its metrics endpoint. */
import type { Clock } from '../../domain/ports.ts';
import type { ConnectClient } from '../../connect/client.ts';
import { keyDifferences, renderDifferences, shown } from '../../connect/difference.ts';
import type { ConnectorDefinition } from '../../connect/templates.ts';
import { OPEN_ACCESS, createFetch } from '../../net/http-client.ts';
import type { HttpAccess } from '../../net/http-client.ts';
import type {
  ConnectConfig,
  ConnectMetrics,
  ConnectServer,
  ConnectorTasks,
} from '../judge/evidence-connect.ts';
import type { Probes } from '../probe.ts';
import { clockOf } from './clock-of.ts';
import { ask, joined, refusal } from './http.ts';
import { queueMetrics } from './metrics-text.ts';

export interface ConnectTarget {
  readonly url: string;
  readonly access: HttpAccess;
  readonly client: ConnectClient;
  readonly connector: string;
  readonly prefix: string;
  /** As connectors/ and the settings make it. */
  readonly definition: () => Promise<ConnectorDefinition>;
  /** null: none is set. */
  readonly metricsUrl: string | null;
  readonly clock: Clock;
}

export type ConnectProbes = Pick<
  Probes,
  'connectServer' | 'connectTasks' | 'connectConfig' | 'connectMetrics'
>;

export function connectProbes(target: ConnectTarget): ConnectProbes {
  const at = {
    target: `Kafka Connect (${target.url})`,
    mend: 'Start Kafka Connect, or check connect.url.',
  };
  return {
    connectServer: { ...at, look: (signal) => server(target, signal) },
    connectTasks: { ...at, look: () => tasks(target) },
    connectConfig: { ...at, look: () => config(target) },
    connectMetrics: {
      target: `Connect’s metrics (${target.metricsUrl ?? 'none are set'})`,
      mend: 'Run Connect with the JMX exporter, and set connect.metricsUrl to where it serves.',
      look: (signal) => metrics(target, signal),
    },
  };
}

/** Of a metrics exporter, which has neither TLS nor a login of Connect's. */
const SEND = createFetch(OPEN_ACCESS);

/** An HTTP date tells whole seconds. */
const DATE_MS = 1_000;

async function server({ url, access, clock }: ConnectTarget, signal: AbortSignal): Promise<ConnectServer> {
  const send = createFetch(access);
  const look = async () => {
    const response = await ask(send, joined(url, '/'), signal);
    if (!response.ok) throw refusal(response, '/');
    const body = (await response.json()) as { version?: string; kafka_cluster_id?: string };
    return { body, date: response.headers.get('date') };
  };
  // The first answer pays for the connection, and perhaps for a cold JVM; the second tells the time.
  const began = clock.nowMs();
  await look();
  const tookMs = clock.nowMs() - began;
  const asked = await clockOf(clock, DATE_MS, look, ({ date }) => (date === null ? null : Date.parse(date)));
  const { version, kafka_cluster_id: clusterId } = asked.answer.body;
  return { version: version ?? 'unknown', clusterId: clusterId ?? null, tookMs, clock: asked.clock };
}

async function tasks({ client, connector }: ConnectTarget): Promise<ConnectorTasks | null> {
  const state = await client.state(connector);
  if (state === null) return null;
  return {
    state: state.state,
    worker: state.workerId,
    trace: state.trace,
    tasks: state.tasks.map(({ id, state, workerId, trace }) => ({ id, state, worker: workerId, trace })),
  };
}

async function config({ client, connector, definition }: ConnectTarget): Promise<ConnectConfig> {
  const [stored, wanted] = await Promise.all([client.config(connector), definition()]);
  if (stored === null) return { deployed: null, differences: [] };
  // Connect adds the name to what it was given.
  const { name: _, ...deployed } = stored;
  return {
    deployed: Object.fromEntries(Object.entries(deployed).map(([key, value]) => [key, shown(key, value)])),
    differences: renderDifferences(keyDifferences(deployed, wanted.config)),
  };
}

async function metrics({ metricsUrl, prefix }: ConnectTarget, signal: AbortSignal): Promise<ConnectMetrics> {
  if (metricsUrl === null) return { queueTotal: null, queueRemaining: null, behindSourceMs: null };
  const response = await ask(SEND, metricsUrl, signal);
  if (!response.ok) throw refusal(response, new URL(metricsUrl).pathname);
  return queueMetrics(await response.text(), prefix);
}
