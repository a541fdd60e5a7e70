import { isRetryable } from '../kafka/errors.ts';
import { isInfrastructure } from '../store/errors.ts';

/** Infrastructure of any kind: nothing that a record, a fact or an assignment is to blame for. */
export function isOutage(error: unknown): boolean {
  return isRetryable(error) || isInfrastructure(error);
}
