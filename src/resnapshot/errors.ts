/** Why a resnapshot cannot be begun or changed; documented in docs/errors.md. */
import { AnchorlineError } from '../domain/errors.ts';

export const RESNAPSHOT_ERRORS = {
  underWay: 'RSN001',
  connector: 'RSN002',
  noSuchTable: 'RSN003',
  noRun: 'RSN004',
  slotServes: 'RSN005',
} as const;

export class ResnapshotError extends AnchorlineError {}
