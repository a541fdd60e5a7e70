/**
 * Starts a failed connector or task again for as long as it is wanted. Connect itself never does: a registry that
 * is away when a new schema is due, or a source that refuses one login, would end the capture for good.
 */
import type { ConnectClient } from './client.ts';

export interface Supervision {
  readonly client: ConnectClient;
  readonly connector: string;
  /** How often to look; after a restart the wait doubles up to `maxIntervalMs`, and falls back once all runs. */
  readonly intervalMs: number;
  readonly maxIntervalMs: number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** False while another process supervises. */
  readonly mayAct: () => Promise<boolean>;
  /** Connect answered. */
  readonly onLook: () => void;
  readonly onRestart: (trace: readonly string[]) => void;
  /** Connect itself, or whoever says whether to act, does not answer: told once per look. */
  readonly onUnreachable: (error: unknown) => void;
}

/** Resolves when the signal aborts. */
export async function superviseConnector(supervision: Supervision, signal: AbortSignal): Promise<void> {
  const { intervalMs, maxIntervalMs } = supervision;
  let waitMs = intervalMs;
  while (!signal.aborted) {
    try {
      const restarted = (await supervision.mayAct()) && (await restartFailed(supervision));
      waitMs = restarted ? Math.min(waitMs * 2, maxIntervalMs) : intervalMs;
    } catch (error) {
      supervision.onUnreachable(error);
    }
    await supervision.sleep(waitMs, signal).catch(() => undefined);
  }
}

/** True where something had failed and was started again. */
async function restartFailed({ client, connector, onLook, onRestart }: Supervision): Promise<boolean> {
  const state = await client.state(connector);
  onLook();
  const failed = state === null ? [] : [state, ...state.tasks].filter((part) => part.state === 'FAILED');
  if (failed.length === 0) return false;
  onRestart(failed.flatMap((part) => part.trace));
  await client.restartFailed(connector);
  return true;
}
