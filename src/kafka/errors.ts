/** Errors of the Kafka adapters, and how kafkajs's own are told apart: by type and name, never by message. */
import { AnchorlineError } from '../domain/errors.ts';
import type { PartitionId } from '../domain/ports.ts';
import { tlsFailure } from '../net/tls.ts';

/** Documented in docs/errors.md. */
export const KAFKA_ERRORS = {
  unavailable: 'KAF001',
  positionBeyondEnd: 'KAF002',
  recordsRemoved: 'KAF003',
  notOpen: 'KAF004',
  loginRefused: 'KAF010',
  tlsFailed: 'KAF011',
  noToken: 'KAF012',
  notAuthorized: 'KAF013',
} as const;

/** Brokers out of reach, or refusing for now, or for who we are: try again without end, and say which of these it is. */
export class KafkaUnavailableError extends AnchorlineError {
  constructor(what: string, cause: unknown) {
    const { code, message } = refusalOf(cause) ?? {
      code: KAFKA_ERRORS.unavailable,
      message: messageOf(cause),
    };
    super(code, `${what}: ${message}`, { cause, retryable: true });
  }
}

export interface Refusal {
  readonly code: string;
  /** Names the settings. */
  readonly message: string;
}

/** What ACLs are about, by the protocol's names of refusals. */
const GUARDED: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'a topic',
  GROUP_AUTHORIZATION_FAILED: 'a consumer group',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'a transactional id',
  CLUSTER_AUTHORIZATION_FAILED: 'the cluster',
};

/** What settings are to blame for: a login, a certificate, a token, or the brokers' ACLs; null where it is an outage as far as can be told. */
export function refusalOf(error: unknown): Refusal | null {
  const chain = causes(error);
  const coded = chain.find((cause) => cause instanceof AnchorlineError);
  if (coded !== undefined) return { code: coded.code, message: coded.message };
  const login = chain.find((cause) => field(cause, 'name') === 'KafkaJSSASLAuthenticationError');
  if (login !== undefined) return loginRefusal(messageOf(login));
  const denied = chain.map((cause) => field(cause, 'type')).find((type) => type in GUARDED);
  if (denied !== undefined) {
    const message = `the brokers' ACLs keep us from ${GUARDED[denied]} (${denied}): grant our principal what docs/security.md lists`;
    return { code: KAFKA_ERRORS.notAuthorized, message };
  }
  // All that kafkajs lets through of a coordinator that was not to be had, refusals included.
  if (chain.some((cause) => field(cause, 'name') === 'KafkaJSGroupCoordinatorNotFound')) {
    const message = `no broker says who coordinates the group or transactional id: the brokers have just begun, or their ACLs keep us from it (docs/security.md lists what to grant)`;
    return { code: KAFKA_ERRORS.unavailable, message };
  }
  const tls = tlsFailure(error);
  return tls === null ? null : tlsRefusal(tls);
}

export function loginRefusal(said: string): Refusal {
  const message = `the broker refuses the login: ${said}; check kafka.saslMechanism and what it needs (kafka.sasl…, kafka.oauth…)`;
  return { code: KAFKA_ERRORS.loginRefused, message };
}

export function tlsRefusal(said: string): Refusal {
  const message = `no TLS with the broker: ${said}; check kafka.tls, kafka.tlsCaFile, kafka.tlsCertFile and kafka.tlsServerName`;
  return { code: KAFKA_ERRORS.tlsFailed, message };
}

/** The store's position does not lie within the partition's log: going on would lose changes silently. */
export class PositionOutsideLogError extends AnchorlineError {
  readonly position: bigint;

  constructor(at: PartitionId, position: bigint, low: bigint, high: bigint) {
    const where = `${at.topic}/${at.partition}: the position is ${position}, the log holds ${low} to ${high}`;
    if (position > high) {
      super(
        KAFKA_ERRORS.positionBeyondEnd,
        `${where}: the topic was made anew or lost its end; \`anchorline resnapshot\` of its table mends it`,
      );
    } else {
      super(
        KAFKA_ERRORS.recordsRemoved,
        `${where}: records not yet read were removed; \`anchorline topics apply\`, then ` +
          '`anchorline resnapshot` of its table mends it',
      );
    }
    this.position = position;
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
