/** Restarts the connector or its task when it failed; one process at a time, as it is the scheduler's. */
import { ConnectClient } from '../connect/client.ts';
import { superviseConnector } from '../connect/supervise.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { App } from './app.ts';

/** The longest pause between restarts that do not help, ms. */
const LONGEST_MS = 600_000;
/** Supervision looks on without end: its client need not try again by itself. */
const CLIENT_RETRIES = 0;

export function createSupervisorService(app: App): Service {
  const { config, clock, log, metrics } = app;
  const { url, connector, superviseMs } = config.connect;
  return {
    id: 'supervisor',
    run: async (signal) => {
      await superviseConnector(
        {
          client: new ConnectClient(url, CLIENT_RETRIES),
          connector,
          intervalMs: superviseMs,
          maxIntervalMs: Math.max(LONGEST_MS, superviseMs),
          sleep: (ms, until) => clock.sleep(ms, until),
          mayAct: () => app.store.acquireLease('supervisor', app.processId, 3 * superviseMs),
          onLook: () => metrics.connected.set({ target: 'connect' }, 1),
          onRestart: (trace) => {
            metrics.retries.inc({ target: 'connect' });
            log.error({ connector, trace }, `connector ${connector} had failed: it is started again`);
          },
          onUnreachable: (error) => {
            metrics.connected.set({ target: 'connect' }, 0);
            log.warn({ connector, err: error }, `Kafka Connect does not answer: ${describeError(error)}`);
          },
        },
        signal,
      );
    },
  };
}
