/** Errors of the Kafka adapters, and how kafkajs's own are told apart: by type and name, never by message. */
import { AnchorlineError } from '../domain/errors.ts';
import type { PartitionId } from '../domain/ports.ts';

/** Documented in docs/errors.md. */
export const KAFKA_ERRORS = {
  unavailable: 'KAF001',
  positionBeyondEnd: 'KAF002',
  recordsRemoved: 'KAF003',
  notOpen: 'KAF004',
} as const;

/** Broker or registry out of reach, or refusing for now: try again without end. */
export class KafkaUnavailableError extends AnchorlineError {
  constructor(what: string, cause: unknown) {
    super(KAFKA_ERRORS.unavailable, `${what}: ${messageOf(cause)}`, { cause, retryable: true });
  }
}

/** The store's position does not lie within the partition's log: going on would lose changes silently. */
export class PositionOutsideLogError extends AnchorlineError {
  constructor(at: PartitionId, position: bigint, low: bigint, high: bigint) {
    const where = `${at.topic}/${at.partition}: the position is ${position}, the log holds ${low} to ${high}`;
    if (position > high) {
      super(
        KAFKA_ERRORS.positionBeyondEnd,
        `${where}: the topic was made anew or lost its end; take a new snapshot into a new schema (replay)`,
      );
    } else {
      super(
        KAFKA_ERRORS.recordsRemoved,
        `${where}: records not yet read were removed; make the topic compacted, then take a new snapshot`,
      );
    }
  }
}

/** Broker's codes for "a newer producer has this transactional.id"; 90 is newer than kafkajs and has no name there. */
const FENCED_TYPES = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']);
const PRODUCER_FENCED_MESSAGE = 'Unknown error code 90';

export function isFenced(error: unknown): boolean {
  return causes(error).some(
    (cause) => FENCED_TYPES.has(field(cause, 'type')) || messageOf(cause) === PRODUCER_FENCED_MESSAGE,
  );
}

export function hasKafkaType(error: unknown, type: string): boolean {
  return causes(error).some((cause) => field(cause, 'type') === type);
}

/** Any error that kafkajs made: infrastructure, as far as a handler of records is concerned. */
export function isKafkaJsError(error: unknown): boolean {
  return causes(error).some((cause) => field(cause, 'name').startsWith('KafkaJS'));
}

/** Whether a handler's failure may heal by itself. */
export function isRetryable(error: unknown): boolean {
  return error instanceof AnchorlineError ? error.retryable : isKafkaJsError(error);
}

/**
 * True for a rejection that kafkajs left unhandled: its crash handler runs outside any promise of ours and may
 * itself fail while a broker goes away. The consumer runner notices the loss by its watchdog, so a process
 * may log such a rejection and live on; any other unhandled rejection is a bug.
 */
export function isStrayKafkaRejection(reason: unknown): boolean {
  return isKafkaJsError(reason) || (reason instanceof Error && /[\\/]kafkajs[\\/]/.test(reason.stack ?? ''));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && at !== null && chain.length < 8;) {
    chain.push(at);
    at = typeof at === 'object' && 'cause' in at ? at.cause : undefined;
  }
  return chain;
}

function field(error: unknown, name: 'type' | 'name'): string {
  if (typeof error !== 'object' || error === null || !(name in error)) return '';
  const value = (error as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : '';
}
