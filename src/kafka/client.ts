/** Builds kafkajs clients. Nothing else in the project constructs one, so every client logs and retries alike. */
import type { ConnectionOptions } from 'node:tls';

import { Kafka, logLevel } from 'kafkajs';
import type { LogEntry, Mechanism, RetryOptions, SASLOptions } from 'kafkajs';

import type { Logger } from '../runtime/logger.ts';
import { registerCodecs } from './codecs.ts';
import { mendIdleTimers } from '../runtime/idle-timers.ts';

export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** null: plain text. An object's fields are handed to Node's TLS. */
  readonly tls: true | ConnectionOptions | null;
  readonly sasl: SASLOptions | Mechanism | null;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export const CONNECTION_DEFAULTS = {
  tls: null,
  sasl: null,
  connectionTimeoutMs: 5_000,
  requestTimeoutMs: 30_000,
} as const satisfies Partial<KafkaConnection>;

/**
 * How long before its end a session is renewed. Less than the life that a token still has when it is handed out
 * (oauth.ts): a session that is renewed twice within a second is refused.
 */
const REAUTHENTICATE_MS = 5_000;

/** A blip of a broker's restart is bridged inside the client; what lasts longer comes out as an error. */
export const PATIENT_RETRY: RetryOptions = {
  initialRetryTime: 100,
  factor: 0.2,
  multiplier: 2,
  maxRetryTime: 5_000,
  retries: 8,
};

/**
 * For consumers: about two minutes. A member that outlasts a broker's restart goes on at once; a new one in its
 * place waits until the broker has expelled the old one, a whole session timeout.
 */
export const CONSUMER_RETRY: RetryOptions = {
  initialRetryTime: 100,
  factor: 0.2,
  multiplier: 1.7,
  maxRetryTime: 2_000,
  retries: 60,
};

/**
 * For transactions back to back. The broker answers CONCURRENT_TRANSACTIONS while it still writes the previous
 * commit's markers, a matter of milliseconds: with the client's default first wait every transaction takes 200 ms.
 */
export const TRANSACTION_RETRY: RetryOptions = {
  initialRetryTime: 5,
  factor: 0,
  multiplier: 1.3,
  maxRetryTime: 100,
  retries: 60,
};

/**
 * A client of its own for each consumer or producer: consumers made by one Kafka object share a cache of
 * committed offsets, which two members of one group in one process would spoil for each other.
 */
export function createKafka(
  connection: KafkaConnection,
  log: Logger,
  retry: RetryOptions = PATIENT_RETRY,
): Kafka {
  registerCodecs();
  mendIdleTimers();
  return new Kafka({
    brokers: [...connection.brokers],
    clientId: connection.clientId,
    ...(connection.tls === null ? {} : { ssl: connection.tls }),
    ...(connection.sasl === null ? {} : { sasl: connection.sasl }),
    connectionTimeout: connection.connectionTimeoutMs,
    authenticationTimeout: connection.connectionTimeoutMs,
    reauthenticationThreshold: REAUTHENTICATE_MS,
    requestTimeout: connection.requestTimeoutMs,
    enforceRequestTimeout: true,
    retry,
    logLevel: kafkaLogLevel(log),
    logCreator: () => (entry) => bridge(log, entry),
  });
}

/**
 * kafkajs says "error" about whatever it is going to try again; failures that matter reach our code as errors
 * and are logged there. So each of its levels is told one lower, and what a single connection met lower still.
 */
function bridge(log: Logger, { namespace, level, log: entry }: LogEntry): void {
  const { message, timestamp: _time, logger: _logger, ...context } = entry;
  const text = `kafkajs ${namespace}: ${message}`;
  const isDetail = namespace === 'Connection' || message.includes(BETWEEN_TRANSACTIONS);
  if (level === logLevel.DEBUG) log.trace(context, text);
  else if (level === logLevel.INFO || isDetail) log.debug(context, text);
  else if (level === logLevel.WARN) log.info(context, text);
  else log.warn(context, text);
}

/** Ordinary between a commit and the next transaction. */
const BETWEEN_TRANSACTIONS = 'The producer attempted to update a transaction while another concurrent';

function kafkaLogLevel(log: Logger): logLevel {
  switch (log.level) {
    case 'trace':
      return logLevel.DEBUG;
    case 'debug':
      return logLevel.INFO;
    case 'info':
      return logLevel.WARN;
    case 'silent':
    case 'fatal':
    case 'error':
      return logLevel.NOTHING;
    default:
      return logLevel.ERROR;
  }
}
