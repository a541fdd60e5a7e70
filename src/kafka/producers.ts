/** Producers outside transactions: wake-ups, where a loss costs latency only, and dead letters, where none may be lost. */
import { CompressionTypes } from 'kafkajs';
import type { Message } from 'kafkajs';

import type { Id } from '../domain/facts.ts';
import type { DeadLetter, DeadLetterTopic, RecomputeRequests } from '../domain/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { chunksBySize } from './chunks.ts';
import { hasKafkaType } from './errors.ts';
import { ALL_REPLICAS, LEADER_ONLY, ReplaceableProducer } from './replaceable-producer.ts';
import type { ProducerOptions } from './replaceable-producer.ts';

/** About 400 kB with what each record takes besides its key. */
const REQUESTS_AT_ONCE = 5_000;

export interface RecomputeRequestEvents {
  /** Wake-ups that were not sent; the sweeper finds the dirt later. */
  lost(assignments: number, error: unknown): void;
}

/**
 * Wakes owners of assignments: key = the assignment id as decimal text, value empty, partition by key.
 * `request` never rejects: the dirt is committed already, and the sweeper signals what was not signalled.
 * A failure here must not make the caller repeat a transaction that has taken effect.
 */
export class KafkaRecomputeRequests implements RecomputeRequests {
  readonly #producer: ReplaceableProducer;
  readonly #events: RecomputeRequestEvents;

  constructor(options: ProducerOptions & { readonly events: RecomputeRequestEvents }) {
    this.#producer = new ReplaceableProducer({ sendTimeoutMs: 10_000, ...options });
    this.#events = options.events;
  }

  async request(assignmentIds: readonly Id[]): Promise<void> {
    const ids = [...new Set(assignmentIds)];
    if (ids.length === 0) return;
    const value = Buffer.alloc(0);
    // A night's horizon wakes everybody: one request of them all could be more than the broker takes.
    for (let from = 0; from < ids.length; from += REQUESTS_AT_ONCE) {
      const messages = ids.slice(from, from + REQUESTS_AT_ONCE).map((id) => ({ key: requestKey(id), value }));
      try {
        // Only the leader's word: a wake-up lost with it costs latency, waiting for replicas would cost it always.
        await this.#producer.send(messages, LEADER_ONLY, CompressionTypes.None);
      } catch (error) {
        // The others would fare no better, and each would take its time.
        this.#events.lost(ids.length - from, error);
        return;
      }
    }
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}

export function requestKey(assignmentId: Id): Buffer {
  return Buffer.from(String(assignmentId), 'utf8');
}

/** The assignment that a record of recompute-requests names; null where its key is not one. */
export function requestedAssignment(key: Buffer | null): Id | null {
  const text = key?.toString('utf8') ?? '';
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

/** Headers of a dead letter; values are UTF-8 text. */
export const DEAD_LETTER_HEADERS = {
  code: 'anchorline.error.code',
  message: 'anchorline.error.message',
  topic: 'anchorline.origin.topic',
  partition: 'anchorline.origin.partition',
  offset: 'anchorline.origin.offset',
  timestamp: 'anchorline.origin.timestamp',
  version: 'anchorline.version',
  /** `true` where the value was left out because the broker would not take a record of its size. */
  valueOmitted: 'anchorline.value.omitted',
} as const;

const DEAD_LETTER_MESSAGE_CHARS = 2_000;
/** Uncompressed; below the broker's default limit of a batch. */
const REQUEST_BYTES = 700_000;

/** Sends records on as they came, headers included, with where they were and why they were refused. At least once. */
export class KafkaDeadLetterTopic implements DeadLetterTopic {
  readonly #producer: ReplaceableProducer;
  readonly #version: string;
  readonly #log: Logger;

  constructor(options: ProducerOptions & { readonly version: string }) {
    this.#producer = new ReplaceableProducer(options);
    this.#version = options.version;
    this.#log = options.log;
  }

  /** Resolves once all replicas have them. Throws KafkaUnavailableError; repeating it repeats letters. */
  async send(letters: readonly DeadLetter[]): Promise<void> {
    const messages = letters.map((letter) => deadLetterMessage(letter, this.#version));
    for (const chunk of chunksBySize(messages, REQUEST_BYTES)) await this.#sendChunk(chunk);
  }

  close(): Promise<void> {
    return this.#producer.close();
  }

  async #sendChunk(chunk: readonly Message[]): Promise<void> {
    try {
      await this.#producer.send([...chunk], ALL_REPLICAS, CompressionTypes.LZ4);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const [first, ...others] = chunk;
      if (first === undefined) return;
      // The headers make a record larger than it was; one at the limit must not block its partition for ever.
      await (others.length === 0 ? this.#sendWithoutValue(first) : this.#sendEach(chunk));
    }
  }

  async #sendEach(messages: readonly Message[]): Promise<void> {
    for (const message of messages) await this.#sendChunk([message]);
  }

  async #sendWithoutValue(message: Message): Promise<void> {
    this.#log.warn(
      { headers: message.headers },
      'a dead letter is too large for its topic: sent without value',
    );
    const ours = new Set<string>(Object.values(DEAD_LETTER_HEADERS));
    const kept = Object.entries(message.headers ?? {}).filter(([name]) => ours.has(name));
    const headers = { ...Object.fromEntries(kept), [DEAD_LETTER_HEADERS.valueOmitted]: 'true' };
    await this.#producer.send([{ ...message, value: null, headers }], ALL_REPLICAS, CompressionTypes.LZ4);
  }
}

function isTooLarge(error: unknown): boolean {
  return hasKafkaType(error, 'MESSAGE_TOO_LARGE') || hasKafkaType(error, 'RECORD_LIST_TOO_LARGE');
}

function deadLetterMessage({ record, rejection }: DeadLetter, version: string): Message {
  return {
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      [DEAD_LETTER_HEADERS.code]: rejection.code,
      [DEAD_LETTER_HEADERS.message]: rejection.message.slice(0, DEAD_LETTER_MESSAGE_CHARS),
      [DEAD_LETTER_HEADERS.topic]: record.topic,
      [DEAD_LETTER_HEADERS.partition]: String(record.partition),
      [DEAD_LETTER_HEADERS.offset]: String(record.offset),
      [DEAD_LETTER_HEADERS.timestamp]: String(record.timestampMs),
      [DEAD_LETTER_HEADERS.version]: version,
    },
  };
}
