/**
 * The daily-state topic, written in transactions that fence each other.
 *
 * Invariants:
 *  1. `open` has sent InitProducerId before it resolves: every older producer of the same transactional.id is
 *     fenced and its open transaction aborted. kafkajs does so lazily, at the first `transaction()`, so one is
 *     begun and dropped at once (it has no partitions yet, hence nothing is sent for dropping it).
 *  2. One `publish` is one Kafka transaction: a read-committed consumer sees all of its messages or none.
 *  3. A producer that failed is never used again. Whether its last commit took effect may be unknown; the log
 *     entries stay, and the next leader repeats them with the same revisions.
 */
import { CompressionTypes } from 'kafkajs';
import type { Message, Producer } from 'kafkajs';

import { AnchorlineError, FencedError } from '../domain/errors.ts';
import type { DailyStateMessage, DailyStateTopic, PublicationBatch } from '../domain/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { createKafka, PATIENT_RETRY, TRANSACTION_RETRY } from './client.ts';
import type { KafkaConnection } from './client.ts';
import { chunksBySize } from './chunks.ts';
import { within } from './deadline.ts';
import { isFenced, KAFKA_ERRORS, KafkaUnavailableError } from './errors.ts';
import { partitionOfAssignment } from './partitioning.ts';

/** Key and value as they go on the wire; a null value is the tombstone of a row that is gone. */
export interface EncodedMessage {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export interface DailyStateTopicOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  /** `<ns>.publish.<shard>`: the same for every process that may lead the shard. */
  readonly transactionalId: string;
  readonly encode: (message: DailyStateMessage) => EncodedMessage;
  readonly log: Logger;
  /** The broker aborts a transaction that is open for longer, ms. */
  readonly transactionTimeoutMs?: number;
  /** Uncompressed bytes of one produce request: below the broker's max.message.bytes, even in one partition. */
  readonly maxRequestBytes?: number;
}

interface Opened {
  readonly producer: Producer;
  readonly partitions: number;
}

const CLOSE_MS = 5_000;

export class KafkaDailyStateTopic implements DailyStateTopic {
  readonly #options: DailyStateTopicOptions;
  readonly #transactionTimeoutMs: number;
  readonly #maxRequestBytes: number;
  #opened: Opened | null = null;

  constructor(options: DailyStateTopicOptions) {
    this.#options = options;
    this.#transactionTimeoutMs = options.transactionTimeoutMs ?? 60_000;
    this.#maxRequestBytes = options.maxRequestBytes ?? 700_000;
  }

  /** Fences every older producer of the transactional.id. Throws KafkaUnavailableError; may be repeated. */
  async open(): Promise<void> {
    await this.close();
    const partitions = await this.#countPartitions();
    const producer = createKafka(this.#options.connection, this.#options.log, TRANSACTION_RETRY).producer({
      transactionalId: this.#options.transactionalId,
      transactionTimeout: this.#transactionTimeoutMs,
      // One request at a time: its order and its failure are then certain.
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => explicitPartition,
    });
    try {
      await producer.connect();
      const first = await producer.transaction();
      await first.abort();
    } catch (error) {
      await this.#disconnect(producer);
      throw new KafkaUnavailableError(`cannot open ${this.#options.transactionalId}`, error);
    }
    this.#opened = { producer, partitions };
  }

  /**
   * All messages of all batches in one transaction. Throws FencedError when a newer producer took over, else
   * KafkaUnavailableError; after either, `open` must come first.
   */
  async publish(batches: readonly PublicationBatch[]): Promise<void> {
    const opened = this.#opened;
    if (opened === null) throw new AnchorlineError(KAFKA_ERRORS.notOpen, 'publish before open');
    const messages = this.#encode(batches, opened.partitions);
    if (messages.length === 0) return;
    try {
      await within(this.#send(opened.producer, messages), this.#transactionTimeoutMs, 'the transaction');
    } catch (error) {
      this.#opened = null;
      await this.#disconnect(opened.producer);
      if (isFenced(error)) throw new FencedError(error);
      throw new KafkaUnavailableError(`cannot publish to ${this.#options.topic}`, error);
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    if (opened !== null) await this.#disconnect(opened.producer);
  }

  async #send(producer: Producer, messages: readonly Message[]): Promise<void> {
    const transaction = await producer.transaction();
    try {
      for (const chunk of chunksBySize(messages, this.#maxRequestBytes)) {
        await transaction.send({
          topic: this.#options.topic,
          messages: [...chunk],
          acks: -1,
          compression: CompressionTypes.LZ4,
        });
      }
      await transaction.commit();
    } catch (error) {
      // Only shortens the wait of read-committed consumers: the next `open` aborts it anyway.
      if (transaction.isActive() && !isFenced(error)) {
        await within(transaction.abort(), CLOSE_MS, 'the abort').catch((abortError: unknown) => {
          this.#options.log.info({ err: abortError }, 'abort of a failed transaction failed');
        });
      }
      throw error;
    }
  }

  #encode(batches: readonly PublicationBatch[], partitions: number): Message[] {
    return batches.flatMap((batch) => {
      const partition = partitionOfAssignment(batch.assignmentId, partitions);
      return batch.messages.map((message) => ({ ...this.#options.encode(message), partition }));
    });
  }

  /** The topic's partitions never change (an assignment would move): once per `open` is enough. */
  async #countPartitions(): Promise<number> {
    const admin = createKafka(this.#options.connection, this.#options.log, PATIENT_RETRY).admin();
    try {
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: [this.#options.topic] });
      return topics[0]?.partitions.length ?? 0;
    } catch (error) {
      throw new KafkaUnavailableError(`cannot read the partitions of ${this.#options.topic}`, error);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  async #disconnect(producer: Producer): Promise<void> {
    await within(producer.disconnect(), CLOSE_MS, 'the disconnect').catch((error: unknown) => {
      this.#options.log.info({ err: error }, 'a producer did not disconnect: left behind');
    });
  }
}

/** Every message names its partition; one without would be a bug. */
function explicitPartition({ message }: { message: Message }): number {
  if (message.partition === undefined) throw new TypeError('a daily-state message without a partition');
  return message.partition;
}
