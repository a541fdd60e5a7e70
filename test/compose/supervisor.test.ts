/** What is told of a connector that fails: in the log, and as metrics. That it is restarted is seen on the real Connect. */
import { beforeEach, describe, expect, test } from 'vitest';
import { supervisionEvents } from '../../src/compose/supervisor-service.ts';
import type { ConnectorState } from '../../src/connect/client.ts';
import type { SupervisionEvents } from '../../src/connect/supervise.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import type { Metrics } from '../../src/runtime/metrics.ts';
import { keepLog } from '../support/log-lines.ts';

let metrics: Metrics;
let kept: ReturnType<typeof keepLog>;
let events: SupervisionEvents;

beforeEach(() => {
  metrics = createMetrics();
  kept = keepLog();
  events = supervisionEvents({ metrics, log: kept.log }, 'farm');
});

const task = (id: number, state: string) => ({ id, state, workerId: 'w', trace: [] });
const running: ConnectorState = {
  name: 'farm',
  state: 'RUNNING',
  workerId: 'w',
  trace: [],
  tasks: [task(0, 'RUNNING'), task(1, 'FAILED')],
};

/** `series value` of one metric, those above 0. */
async function series(name: string): Promise<readonly string[]> {
  const text = await metrics.registry.getSingleMetricAsString(name);
  return text.split('\n').filter((line) => line.startsWith(name) && !line.endsWith(' 0'));
}

describe('the state', () => {
  test('is one series per state, of connector and tasks', async () => {
    events.onState(running);
    expect(await series('anchorline_connector_state')).toEqual([
      'anchorline_connector_state{connector="farm",state="RUNNING"} 1',
    ]);
    expect(await series('anchorline_connector_task_state')).toEqual([
      'anchorline_connector_task_state{connector="farm",task="0",state="RUNNING"} 1',
      'anchorline_connector_task_state{connector="farm",task="1",state="FAILED"} 1',
    ]);
    const text = await metrics.registry.getSingleMetricAsString('anchorline_connector_state');
    expect(text).toContain('anchorline_connector_state{connector="farm",state="FAILED"} 0');
  });

  test('forgets tasks that are no more', async () => {
    events.onState(running);
    events.onState({ ...running, tasks: [task(0, 'RUNNING')] });
    expect(await series('anchorline_connector_task_state')).toHaveLength(1);
  });

  test('of no connector is told once', async () => {
    events.onState(null);
    events.onState(null);
    expect(await series('anchorline_connector_state')).toEqual([
      'anchorline_connector_state{connector="farm",state="ABSENT"} 1',
    ]);
    expect(kept.lines.map(({ msg }) => msg)).toEqual([expect.stringContaining('connectors apply')]);
  });

  test('is unknown while Connect does not answer, or another process looks', async () => {
    events.onState(running);
    events.onUnreachable(new Error('away'));
    expect(await series('anchorline_connector_state')).toEqual([]);
    expect(await metrics.registry.getSingleMetricAsString('anchorline_connected')).toContain(
      'target="connect"} 0',
    );
    events.onState(running);
    events.onIdle();
    expect(await series('anchorline_connector_state')).toEqual([]);
    expect(await metrics.registry.getSingleMetricAsString('anchorline_connected')).not.toContain('connect"');
  });
});

describe('a restart', () => {
  const restart = (restarts: number, trace: readonly string[]) =>
    events.onRestart({ restarts, nextWaitMs: 15_000, parts: ['task 0'], trace });

  test('is counted from zero on and told, as a warning at first', async () => {
    const name = 'anchorline_connector_restarts_total';
    expect(await metrics.registry.getSingleMetricAsString(name)).toContain('{connector="farm"} 0');
    restart(1, ['ConnectException: no', 'Caused by: a reason']);
    expect(await series(name)).toEqual([`${name}{connector="farm"} 1`]);
    expect(kept.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        msg: 'task 0 of connector farm failed and is started again (next try in 15 s at the earliest): Caused by: a reason',
      }),
    ]);
  });

  test('that does not help is an error with the trace and the mend', () => {
    restart(3, ['ConnectException: no', 'FATAL: password authentication failed for user "cdc"']);
    restart(4, ['NullPointerException']);
    const [known, unknown] = kept.lines;
    expect(known?.level).toBe('error');
    expect(known?.msg).toMatch(
      /fails again after each of 2 restarts .*ConnectException: no \| FATAL: .*; mend: /,
    );
    expect(known?.msg).toContain('source.password');
    expect(unknown?.msg).toContain('Connect’s log');
  });

  test('that helped is told', () => {
    events.onRuns(2);
    expect(kept.lines).toEqual([
      expect.objectContaining({ level: 'info', msg: 'connector farm runs again' }),
    ]);
  });
});
