/** Restarts the connector or its task when it failed; one process at a time, as it is the scheduler's. */
import type { ConnectorState } from '../connect/client.ts';
import { ConnectClient } from '../connect/client.ts';
import { type Restart, type SupervisionEvents, superviseConnector } from '../connect/supervise.ts';
import { mendOf } from '../connect/trace.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { CONNECTOR_STATES } from '../runtime/metrics-catalogue.ts';
import { connectOf } from '../wiring-access.ts';
import type { App } from './app.ts';

/** Supervision looks on without end: its client need not try again by itself. */
const CLIENT_RETRIES = 0;
/** So many restarts in a row have not helped: somebody must look. */
const HELPLESS = 3;
const UNKNOWN_FAILURE =
  'not a failure that is known here; the whole trace is in Connect’s log. Mend the cause: it is tried again by itself';

export function createSupervisorService(app: App): Service {
  const { config, clock } = app;
  const { connector, superviseMs, restartFirstMs, restartLongestMs } = config.connect;
  return {
    id: 'supervisor',
    run: async (signal) => {
      await superviseConnector(
        {
          client: new ConnectClient(connectOf(config), CLIENT_RETRIES),
          connector,
          intervalMs: superviseMs,
          policy: { firstWaitMs: restartFirstMs, longestWaitMs: restartLongestMs },
          clock,
          mayAct: () => app.store.acquireLease('supervisor', app.processId, 3 * superviseMs),
          events: supervisionEvents(app, connector),
        },
        signal,
      );
    },
    stop: () => app.store.releaseLease('supervisor', app.processId),
  };
}

/** What is told of a connector's life: its state as metrics, its restarts as metrics and in the log. */
export function supervisionEvents(
  { metrics, log }: Pick<App, 'metrics' | 'log'>,
  connector: string,
): SupervisionEvents {
  let known = true;
  metrics.connectorRestarts.inc({ connector }, 0);
  return {
    onState: (state) => {
      metrics.connected.set({ target: 'connect' }, 1);
      setState(metrics, connector, state);
      if (state === null && known) {
        log.warn(
          { connector },
          `there is no connector ${connector}: \`anchorline connectors apply\` deploys it`,
        );
      }
      known = state !== null;
    },
    onIdle: () => {
      metrics.connected.remove({ target: 'connect' });
      forgetState(metrics);
    },
    onRestart: (restart) => {
      metrics.connectorRestarts.inc({ connector });
      const { restarts, trace, nextWaitMs } = restart;
      const level = restarts < HELPLESS ? 'warn' : 'error';
      log[level]({ connector, trace, restarts, nextWaitMs }, restartText(connector, restart));
    },
    onRuns: (restarts) => log.info({ connector, restarts }, `connector ${connector} runs again`),
    onUnreachable: (error) => {
      metrics.connected.set({ target: 'connect' }, 0);
      // What it was is not what it is: unknown until Connect answers.
      forgetState(metrics);
      log.warn({ connector, err: error }, `the connector cannot be looked after: ${describeError(error)}`);
    },
  };
}

function restartText(connector: string, { restarts, parts, trace, nextWaitMs }: Restart): string {
  const what = `${parts.join(' and ')} of connector ${connector}`;
  const next = `next try in ${Math.ceil(nextWaitMs / 1_000)} s at the earliest`;
  if (restarts < HELPLESS)
    return `${what} failed and is started again (${next}): ${trace.at(-1) ?? 'no trace'}`;
  return (
    `${what} fails again after each of ${restarts - 1} restarts (${next}): ${trace.join(' | ')}; ` +
    `mend: ${mendOf(trace) ?? UNKNOWN_FAILURE}`
  );
}

/** One series per state, 1 for the one that holds: whoever looks for FAILED finds 0 while all is well. */
function setState(metrics: Metrics, connector: string, state: ConnectorState | null): void {
  forgetState(metrics);
  for (const name of CONNECTOR_STATES) {
    metrics.connectorState.set({ connector, state: name }, (state?.state ?? 'ABSENT') === name ? 1 : 0);
    for (const task of state?.tasks ?? []) {
      metrics.connectorTaskState.set(
        { connector, task: String(task.id), state: name },
        task.state === name ? 1 : 0,
      );
    }
  }
}

function forgetState(metrics: Metrics): void {
  metrics.connectorState.reset();
  metrics.connectorTaskState.reset();
}
