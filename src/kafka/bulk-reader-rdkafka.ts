/** Bulk reading by node-rdkafka: partitions are assigned, so no group is joined, and nothing is ever committed. */
import type { RecordHeaders } from '../domain/cdc.ts';
import { AnchorlineError } from '../domain/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { packRecords } from './bulk-reader.ts';
import type {
  BulkReader,
  BulkReaderTuning,
  PackedRecords,
  TopicRange,
  UnpackedRecord,
} from './bulk-reader.ts';
import { KafkaUnavailableError, loginRefusal, tlsRefusal } from './errors.ts';
import type { Refusal } from './errors.ts';
import type { Rdkafka, RdkafkaConsumer, RdkafkaError, RdkafkaMessage, RdkafkaSettings } from './rdkafka.ts';
import type { RdkafkaAccess } from './rdkafka-access.ts';

export interface RdkafkaBulkReaderOptions extends BulkReaderTuning {
  readonly rdkafka: Rdkafka;
  readonly access: RdkafkaAccess;
  readonly log: Logger;
  /** The client insists on a name, and asks the broker for the group's coordinator. */
  readonly groupId: string;
  /** Nothing came and nothing was in hand for this long: the broker is taken for unreachable, ms. */
  readonly stallMs?: number;
}

const STALL_MS = 60_000;
/** For a record that may come, in a thread of libuv's pool; a failure elsewhere is looked at after it. */
const CONSUME_MS = 100;
const MOST_AT_ONCE = 5_000;
/** Of records whose size nobody knows yet. */
const FIRST_AT_ONCE = 200;
const DAY_MS = 86_400_000;

export class RdkafkaBulkReader implements BulkReader {
  readonly #options: RdkafkaBulkReaderOptions;

  constructor(options: RdkafkaBulkReaderOptions) {
    this.#options = options;
  }

  async read(
    ranges: readonly TopicRange[],
    onChunk: (chunk: PackedRecords) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const left = ranges.filter(({ from, to }) => from < to);
    if (left.length === 0) return;
    const reading = new Reading(this.#options, left, onChunk);
    const abort = () => reading.fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await reading.run();
    } catch (error) {
      throw reading.failed ? reading.failure : new KafkaUnavailableError('cannot read the topics', error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

interface Place {
  readonly range: TopicRange;
  /** Everything below was read. */
  next: bigint;
  records: UnpackedRecord[];
  bytes: number;
  readonly full: PackedRecords[];
  /** Chunks of a partition go one at a time. */
  handing: Promise<void>;
}

class Reading {
  readonly #options: RdkafkaBulkReaderOptions;
  readonly #consumer: RdkafkaConsumer;
  readonly #left = new Map<string, Place>();
  readonly #onChunk: (chunk: PackedRecords) => Promise<void>;
  readonly #ended = Promise.withResolvers<never>();
  readonly #inHand = new Set<Promise<void>>();
  readonly #ends: { topic: string; partition: number; offset: number }[] = [];
  #buffered = 0;
  #bytes = 0;
  #records = 0;
  #movedMs = Date.now();
  #token = '';
  #said: RdkafkaError | null = null;
  #logged: string | null = null;
  #over = false;
  /** What ended the reading, if it was not the client. */
  failure: unknown = null;
  failed = false;

  constructor(
    options: RdkafkaBulkReaderOptions,
    ranges: readonly TopicRange[],
    onChunk: (chunk: PackedRecords) => Promise<void>,
  ) {
    this.#options = options;
    this.#onChunk = onChunk;
    this.#ended.promise.catch(() => undefined);
    for (const range of ranges) {
      const [next, handing] = [range.from, Promise.resolve()];
      this.#left.set(nameOf(range), { range, next, records: [], bytes: 0, full: [], handing });
    }
    const consumer = new options.rdkafka.KafkaConsumer(settingsOf(options), {
      'auto.offset.reset': 'earliest',
    });
    consumer.setDefaultConsumeTimeout(CONSUME_MS);
    consumer.on('partition.eof', (end) => this.#ends.push(end));
    consumer.on('event.log', ({ message }) => {
      options.log.debug(`rdkafka: ${message}`);
      this.#logged = message;
    });
    consumer.on('event.error', (error) => this.#hear(error));
    this.#consumer = consumer;
  }

  async run(): Promise<void> {
    // What the client is doing must be over before it is disconnected.
    const reading = this.#read();
    try {
      await Promise.race([reading, this.#ended.promise]);
    } finally {
      this.#over = true;
      await reading.catch(() => undefined);
      await new Promise<void>((resolve) => this.#consumer.disconnect(() => resolve()));
    }
  }

  fail(error: unknown): void {
    if (this.failed) return;
    this.failed = true;
    this.failure = error;
    this.#ended.reject(error);
  }

  /** The client goes on trying whatever it met; these two stay as they are. */
  #hear(error: RdkafkaError): void {
    this.#options.log.debug({ err: error }, 'rdkafka');
    this.#said = error;
    const coded = codedOf(error, this.#logged);
    if (coded !== null) this.#ended.reject(coded);
  }

  async #read(): Promise<void> {
    const { access, stallMs = STALL_MS } = this.#options;
    await this.#renewToken();
    await done((then) => this.#consumer.connect({ timeout: Math.min(stallMs, access.connectMs) }, then));
    const places = [...this.#left.values()].map(({ range: { topic, partition, from } }) => ({
      topic,
      partition,
      offset: Number(from),
    }));
    this.#consumer.assign(places);
    this.#movedMs = Date.now();
    while (this.#left.size > 0 && !this.#over) {
      await this.#renewToken();
      await this.#step(stallMs);
    }
    await Promise.race([Promise.all(this.#inHand), this.#ended.promise]);
  }

  async #step(stallMs: number): Promise<void> {
    const messages = await done<readonly RdkafkaMessage[]>((then) =>
      this.#consumer.consume(this.#atOnce(), then),
    );
    for (const message of messages) this.#take(message);
    const ends = this.#ends.splice(0);
    for (const end of ends) this.#moveTo(this.#left.get(nameOf(end)), BigInt(end.offset));
    if (messages.length > 0 || ends.length > 0 || this.#inHand.size > 0) this.#movedMs = Date.now();
    else if (Date.now() - this.#movedMs > stallMs) {
      throw this.#said ?? new Error(`nothing came for ${stallMs / 1000} s`);
    }
    await this.#handOver();
  }

  /** As many as fill what may be in hand, by what they were so far. */
  #atOnce(): number {
    if (this.#records === 0) return FIRST_AT_ONCE;
    const mean = this.#bytes / this.#records;
    return Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(this.#bound / Math.max(1, mean))));
  }

  get #bound(): number {
    return this.#options.chunkBytes * this.#options.partitionsAtOnce;
  }

  #take(message: RdkafkaMessage): void {
    const place = this.#left.get(nameOf(message));
    const offset = BigInt(message.offset);
    if (place === undefined || offset < place.next) return;
    if (offset < place.range.to) {
      const { key, value, timestamp } = message;
      const size = (key?.length ?? 0) + (value?.length ?? 0);
      place.records.push({ offset, timestampMs: timestamp, key, value, headers: headersOf(message) });
      place.bytes += size;
      this.#buffered += size;
      this.#bytes += size;
      this.#records += 1;
    }
    this.#moveTo(place, offset + 1n);
    if (place.bytes >= this.#options.chunkBytes) this.#close(place);
  }

  #moveTo(place: Place | undefined, seen: bigint): void {
    if (place === undefined) return;
    const next = seen < place.range.to ? seen : place.range.to;
    if (next > place.next) place.next = next;
  }

  #close(place: Place): void {
    place.full.push(packRecords(place.range, place.records, place.next));
    this.#buffered -= place.bytes;
    place.records = [];
    place.bytes = 0;
  }

  async #handOver(): Promise<void> {
    const places = [...this.#left.values()].sort((a, b) => b.bytes - a.bytes);
    for (const place of places) {
      if (isRead(place) || (place.records.length > 0 && this.#buffered >= this.#bound)) this.#close(place);
    }
    const ready = (): Place[] => places.filter(({ full }) => full.length > 0);
    // In turn: whoever is slow with one partition's chunk has the others' meanwhile.
    for (let left = ready(); left.length > 0; left = ready()) {
      for (const place of left) {
        await Promise.race([this.#turnOf(place), this.#ended.promise]);
        place.handing = this.#hand(place.full.shift() as PackedRecords);
        this.#movedMs = Date.now();
      }
    }
    for (const { range } of places.filter(isRead)) {
      this.#left.delete(nameOf(range));
      this.#consumer.pause([range]);
    }
  }

  async #turnOf(place: Place): Promise<void> {
    await place.handing;
    while (this.#inHand.size >= this.#options.partitionsAtOnce) await Promise.race(this.#inHand);
  }

  #hand(chunk: PackedRecords): Promise<void> {
    const handing = (async () => {
      try {
        await this.#onChunk(chunk);
      } catch (error) {
        this.fail(error);
      }
    })();
    this.#inHand.add(handing);
    return handing.finally(() => this.#inHand.delete(handing));
  }

  async #renewToken(): Promise<void> {
    const { access, log } = this.#options;
    if (access.token === null) return;
    try {
      const { value } = await access.token();
      if (value === this.#token) return;
      this.#consumer.setOauthBearerToken(value);
      this.#token = value;
    } catch (error) {
      // The broker lets the old one pass for as long as it lasts.
      if (this.#token === '') throw error;
      log.debug({ err: error }, 'no new token');
    }
  }
}

function settingsOf(options: RdkafkaBulkReaderOptions): RdkafkaSettings {
  const { access, groupId, chunkBytes, partitionsAtOnce } = options;
  return {
    ...access.settings,
    'group.id': groupId,
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'enable.partition.eof': true,
    'isolation.level': 'read_committed',
    'fetch.message.max.bytes': chunkBytes,
    'queued.max.messages.kbytes': Math.max(1, Math.round((chunkBytes * partitionsAtOnce) / 1024)),
    'fetch.wait.max.ms': CONSUME_MS,
    // A second by default, for which a queue that was full would lie empty.
    'fetch.queue.backoff.ms': 5,
    'max.poll.interval.ms': DAY_MS,
  };
}

/** Of what the client tells by events only its library's fixed words for the code are left; the log has the rest. */
const REFUSALS: Readonly<Record<string, (said: string) => Refusal>> = {
  'authentication failure': loginRefusal,
  'ssl error': tlsRefusal,
};

function codedOf(error: RdkafkaError, logged: string | null): AnchorlineError | null {
  const refusal = REFUSALS[error.message]?.(logged ?? error.message);
  if (refusal === undefined) return null;
  return new AnchorlineError(refusal.code, refusal.message, { cause: error, retryable: true });
}

function isRead({ next, range }: Place): boolean {
  return next >= range.to;
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

/** As kafkajs has them: a name that comes more than once has a list. */
function headersOf({ headers }: RdkafkaMessage): RecordHeaders | undefined {
  if (headers === undefined) return undefined;
  const byName: Record<string, Buffer | Buffer[]> = {};
  for (const [name, value] of headers.flatMap((header) => Object.entries(header))) {
    const known = byName[name];
    byName[name] = known === undefined ? value : [known, value].flat();
  }
  return byName;
}

function done<T = void>(
  start: (then: (error: RdkafkaError | null | undefined, result?: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null || error === undefined) resolve(result as T);
      else reject(error);
    });
  });
}
