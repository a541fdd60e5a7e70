/**
 * Starts a failed connector or task again for as long as it is wanted. Connect itself never does: a registry that
 * is away when a new schema is due, or a source that refuses one login, would end the capture for good.
 */
import type { Clock } from '../domain/ports.ts';
import { type ConnectClient, type ConnectorState, failuresOf } from './client.ts';
import { NO_RESTARTS, type RestartPolicy, judgeRestart } from './restarts.ts';

export interface Restart {
  /** In a row, this one included. */
  readonly restarts: number;
  /** No sooner than after this it is tried again. */
  readonly nextWaitMs: number;
  /** `connector` or `task 0`. */
  readonly parts: readonly string[];
  readonly trace: readonly string[];
}

export interface SupervisionEvents {
  /** Connect answered; null: there is no such connector. */
  readonly onState: (state: ConnectorState | null) => void;
  /** Another process supervises. */
  readonly onIdle: () => void;
  readonly onRestart: (restart: Restart) => void;
  /** Seen running for the first time after so many restarts. */
  readonly onRuns: (restarts: number) => void;
  /** Connect itself, or whoever says whether to act, does not answer: told once per look. */
  readonly onUnreachable: (error: unknown) => void;
}

export interface Supervision {
  readonly client: ConnectClient;
  readonly connector: string;
  /** How often to look. */
  readonly intervalMs: number;
  readonly policy: RestartPolicy;
  readonly clock: Clock;
  /** False while another process supervises. */
  readonly mayAct: () => Promise<boolean>;
  readonly events: SupervisionEvents;
}

/** Resolves when the signal aborts. */
export async function superviseConnector(supervision: Supervision, signal: AbortSignal): Promise<void> {
  const { clock, intervalMs, events } = supervision;
  let memory = NO_RESTARTS;
  while (!signal.aborted) {
    try {
      if (await supervision.mayAct()) memory = await look(supervision, memory);
      else events.onIdle();
    } catch (error) {
      events.onUnreachable(error);
    }
    await clock.sleep(intervalMs, signal).catch(() => undefined);
  }
}

async function look(supervision: Supervision, memory: typeof NO_RESTARTS): Promise<typeof NO_RESTARTS> {
  const { client, connector, policy, clock, events } = supervision;
  const state = await client.state(connector);
  events.onState(state);
  const failed = failuresOf(state);
  const judged = judgeRestart(memory, failed.length > 0, clock.nowMs(), policy);
  const { verdict } = judged;
  if (verdict.act === 'runs') events.onRuns(verdict.restarts);
  if (verdict.act === 'restart') {
    // Told first: should Connect refuse, the refusal is told after its cause.
    events.onRestart({
      restarts: verdict.restarts,
      nextWaitMs: verdict.nextWaitMs,
      parts: failed.map((part) => ('id' in part ? `task ${part.id}` : 'connector')),
      trace: failed.flatMap(({ trace }) => trace),
    });
    await client.restartFailed(connector);
  }
  return judged.memory;
}
