/** Errors that steps tell apart by type. Every error carries a documented code (docs/errors.md). */
export class AnchorlineError extends Error {
  readonly code: string;
  /** Infrastructure that may heal: pause and try again without end. */
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** Another owner moved a position that this process believed its own: forget what was read, seek, go on. */
export class StalePositionError extends AnchorlineError {
  constructor(topic: string, partition: number, expected: bigint) {
    super('POS001', `position of ${topic}/${partition} is no longer ${expected}: another owner moved it`);
  }
}

/** A newer leader with the same transactional.id took over. */
export class FencedError extends AnchorlineError {
  constructor(cause: unknown) {
    super('PUB001', 'a newer publisher took over this shard', { cause });
  }
}

/** A row does not fit the contract: a defect, but of its assignment alone. */
export class UnpublishableError extends AnchorlineError {
  constructor(what: string, cause: unknown) {
    super(
      'PUB003',
      `${what} cannot be published: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}

/** A setting, or what the store was computed with, does not fit; the message names the mend. */
export class ConfigurationError extends AnchorlineError {
  /** `retryable`: a process that runs already may wait for the mend; one that starts had better end. */
  constructor(code: string, message: string, cause?: unknown, retryable = false) {
    super(code, message, { cause, retryable });
  }
}
