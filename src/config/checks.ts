/** Settings that are each right, but not together. */
import { accessContradictions } from './access-checks.ts';
import type { Config } from './load.ts';

interface Check {
  readonly holds: (config: Config) => boolean;
  readonly otherwise: (config: Config) => string;
}

const CHECKS: readonly Check[] = [
  {
    holds: ({ recompute }) => recompute.quietMs <= recompute.longestWaitMs,
    otherwise: ({ recompute }) =>
      `recompute.quietMs (${recompute.quietMs}) is longer than recompute.longestWaitMs (${recompute.longestWaitMs}): lower the first or raise the second`,
  },
  {
    // Younger dirt is still waiting for its quiet time: the sweeper would ask for what is on its way.
    holds: ({ recompute, sweep }) => sweep.olderThanMs > recompute.longestWaitMs,
    otherwise: ({ recompute, sweep }) =>
      `sweep.olderThanMs (${sweep.olderThanMs}) must be longer than recompute.longestWaitMs (${recompute.longestWaitMs})`,
  },
  {
    holds: ({ store, ...config }) => store.poolSize >= connectionsAtOnce(config),
    otherwise: ({ store, ...config }) =>
      `store.poolSize (${store.poolSize}) must be at least ${connectionsAtOnce(config)}: one for each of recompute.concurrency, ingest.partitionsConcurrently and publish.shards (${config.recompute.concurrency} + ${config.ingest.partitionsConcurrently} + ${config.publish.shards}), and one each for the monitor and the scheduler`,
  },
  {
    holds: ({ connect }) => connect.restartFirstMs <= connect.restartLongestMs,
    otherwise: ({ connect }) =>
      `connect.restartFirstMs (${connect.restartFirstMs}) is longer than connect.restartLongestMs (${connect.restartLongestMs}): lower the first or raise the second`,
  },
  {
    holds: ({ topics }) => topics.prefix !== topics.namespace,
    otherwise: ({ topics }) =>
      `topics.prefix and topics.namespace are both "${topics.namespace}": the change topics need a name of their own`,
  },
  {
    holds: ({ ingest, recompute }) => ingest.groupId !== recompute.groupId,
    otherwise: ({ ingest }) =>
      `ingest.groupId and recompute.groupId are both "${ingest.groupId}": two consumer groups need two names`,
  },
  {
    holds: ({ publish }) => publish.pollMs <= publish.leaseMs / 3,
    otherwise: ({ publish }) =>
      `publish.pollMs (${publish.pollMs}) must be at most a third of publish.leaseMs (${publish.leaseMs}), or an idle leader loses its lease`,
  },
  {
    holds: ({ stack }) => {
      const ports = stackPorts(stack);
      return new Set(ports).size === ports.length;
    },
    otherwise: ({ stack }) => `two parts of the stack share a port: ${stackPorts(stack).join(', ')}`,
  },
];

/** One text for each pair of settings that contradict each other; empty where all is well. */
export function contradictions(config: Config): readonly string[] {
  const found = CHECKS.filter((check) => !check.holds(config)).map((check) => check.otherwise(config));
  return [...found, ...accessContradictions(config)];
}

function stackPorts(stack: Config['stack']): readonly number[] {
  return [
    stack.postgresPort,
    stack.kafkaPort,
    stack.kafkaControllerPort,
    stack.registryPort,
    stack.connectPort,
  ];
}

/** What may hold a connection for long at the same time; who comes and goes shares what is left. */
function connectionsAtOnce({ recompute, ingest, publish }: Omit<Config, 'store'>): number {
  return recompute.concurrency + ingest.partitionsConcurrently + publish.shards + 2;
}
