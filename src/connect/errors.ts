/** Errors of the connector's deployment; each message names the thing and the mend. */
import { AnchorlineError } from '../domain/errors.ts';

export const CONNECT_ERRORS = {
  template: 'CON001',
  unreachable: 'CON002',
  refused: 'CON003',
  invalidConfig: 'CON004',
  failed: 'CON005',
  rights: 'CON006',
  wrongDatabase: 'CON007',
  walLevel: 'CON008',
  sourceUnreachable: 'CON009',
  contradiction: 'CON010',
  noFreeSlot: 'CON011',
  sourceRefused: 'CON012',
  topicRefused: 'CON013',
  notDeployed: 'CON014',
  stillUsed: 'CON015',
} as const;
export type ConnectErrorCode = (typeof CONNECT_ERRORS)[keyof typeof CONNECT_ERRORS];

export class ConnectError extends AnchorlineError {
  constructor(
    code: ConnectErrorCode,
    message: string,
    options: { cause?: unknown; retryable?: boolean } = {},
  ) {
    super(code, message, options);
  }
}
