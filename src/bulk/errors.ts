/** Why a backfill cannot be begun or ended; documented in docs/errors.md. */
import { AnchorlineError } from '../domain/errors.ts';

export const BACKFILL_ERRORS = {
  anotherOpen: 'BKF001',
  noneOpen: 'BKF002',
  nothingToDo: 'BKF003',
} as const;

export class BackfillError extends AnchorlineError {}
