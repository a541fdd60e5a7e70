/** Which of the systems that a process leans on a failure is of. */
import { AnchorlineError } from '../domain/errors.ts';
import { isKafkaJsError } from '../kafka/errors.ts';
import type { App } from './app.ts';

export type Target = 'store' | 'kafka' | 'registry';

const TARGET_OF_CODES: Readonly<Record<string, Target>> = { REG: 'registry', KAF: 'kafka', PUB: 'kafka' };

export function targetOf(error: unknown): Target {
  if (error instanceof AnchorlineError) return TARGET_OF_CODES[error.code.slice(0, 3)] ?? 'store';
  return isKafkaJsError(error) ? 'kafka' : 'store';
}

/** Counts an attempt that is repeated. */
export function noteRetry({ metrics }: Pick<App, 'metrics'>, error: unknown): void {
  const target = targetOf(error);
  metrics.retries.inc({ target });
  // The monitor asks the store and the registry itself.
  if (target === 'kafka') metrics.connected.set({ target }, 0);
}
