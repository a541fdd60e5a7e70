/** Errors of the local stack; each message names the thing and the mend. */
import { AnchorlineError } from '../domain/errors.ts';

export const STACK_ERRORS = {
  missingTool: 'STK001',
  jars: 'STK002',
  portTaken: 'STK003',
  startFailed: 'STK004',
  busy: 'STK005',
  stopFailed: 'STK006',
} as const;

export class StackError extends AnchorlineError {
  constructor(code: (typeof STACK_ERRORS)[keyof typeof STACK_ERRORS], message: string, cause?: unknown) {
    super(code, message, { cause });
  }
}
