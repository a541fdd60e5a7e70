import { Partitioners } from 'kafkajs';
import type { CompressionTypes, Message, Producer, RecordMetadata } from 'kafkajs';

import type { Logger } from '../runtime/logger.ts';
import { createKafka } from './client.ts';
import type { KafkaConnection } from './client.ts';
import { within } from './deadline.ts';
import { KafkaUnavailableError } from './errors.ts';

export interface ProducerOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly log: Logger;
  /** A send that takes longer has failed, and its producer is replaced, ms. */
  readonly sendTimeoutMs?: number;
}

const DISCONNECT_MS = 5_000;
export const LEADER_ONLY = 1;
export const ALL_REPLICAS = -1;

/**
 * A producer that is replaced after every failure. kafkajs may wedge (a lock never given back, an idempotent
 * sequence out of step), and whether one has is not to be seen from outside; a new one costs milliseconds.
 */
export class ReplaceableProducer {
  readonly #options: ProducerOptions;
  readonly #sendTimeoutMs: number;
  #producer: Promise<Producer> | null = null;

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#sendTimeoutMs = options.sendTimeoutMs ?? 30_000;
  }

  /** Throws KafkaUnavailableError; what was sent may have arrived nevertheless. */
  async send(messages: Message[], acks: number, compression: CompressionTypes): Promise<RecordMetadata[]> {
    const opening = (this.#producer ??= this.#connect());
    try {
      const sending = opening.then((producer) =>
        producer.send({ topic: this.#options.topic, messages, acks, compression }),
      );
      return await within(sending, this.#sendTimeoutMs, `sending to ${this.#options.topic}`);
    } catch (error) {
      if (this.#producer === opening) this.#producer = null;
      void this.#discard(opening);
      throw new KafkaUnavailableError(`cannot send to ${this.#options.topic}`, error);
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer !== null) await this.#discard(producer);
  }

  async #connect(): Promise<Producer> {
    const producer = createKafka(this.#options.connection, this.#options.log).producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return producer;
  }

  async #discard(opening: Promise<Producer>): Promise<void> {
    try {
      await within(
        opening.then((producer) => producer.disconnect()),
        DISCONNECT_MS,
        'the disconnect',
      );
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a replaced producer did not disconnect');
    }
  }
}
