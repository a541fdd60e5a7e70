/** What an operator asked of a replay and cannot have; documented in docs/errors.md. */
import { AnchorlineError } from '../domain/errors.ts';

export const REPLAY_ERRORS = {
  isLive: 'RPL001',
  foreign: 'RPL002',
  atWork: 'RPL003',
  unknown: 'RPL004',
  removed: 'RPL005',
} as const;

export class ReplayError extends AnchorlineError {}
