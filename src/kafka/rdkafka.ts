/**
 * node-rdkafka, of which no part is needed to run: it takes minutes to build, so `npm run rdkafka:build` brings it where
 * it is wanted. Here is what is used of it, and where it is looked for.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { messageOf } from './errors.ts';

export type RdkafkaSettings = Record<string, string | number | boolean>;

export interface RdkafkaMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** One name each, in their order. */
  readonly headers?: readonly Readonly<Record<string, Buffer>>[];
}

export interface RdkafkaError extends Error {
  /** Negative ones are the client's own, the others the broker's; none where it came by an event. */
  readonly code: number;
}

export interface RdkafkaPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

type Done<T extends unknown[] = []> = (error: RdkafkaError | null | undefined, ...results: T) => void;

interface RdkafkaClient {
  connect(options: { readonly timeout: number }, done: Done): unknown;
  disconnect(done: () => void): unknown;
  setOauthBearerToken(token: string): unknown;
  on(event: 'event.error', listener: (error: RdkafkaError) => void): unknown;
  on(event: 'event.log', listener: (entry: { readonly message: string }) => void): unknown;
}

export interface RdkafkaConsumer extends RdkafkaClient {
  /** How long `consume` waits for the next record, ms. */
  setDefaultConsumeTimeout(ms: number): void;
  assign(places: readonly RdkafkaPlace[]): unknown;
  pause(partitions: readonly { readonly topic: string; readonly partition: number }[]): unknown;
  consume(atMost: number, done: Done<[readonly RdkafkaMessage[]]>): void;
  on(event: 'partition.eof', listener: (end: RdkafkaPlace) => void): unknown;
  on(event: 'event.error', listener: (error: RdkafkaError) => void): unknown;
  on(event: 'event.log', listener: (entry: { readonly message: string }) => void): unknown;
}

export interface Rdkafka {
  readonly KafkaConsumer: new (settings: RdkafkaSettings, topic: RdkafkaSettings) => RdkafkaConsumer;
}

/** `why`: what is the matter, and the mend. */
export type RdkafkaLoaded =
  | { readonly rdkafka: Rdkafka; readonly why: null }
  | { readonly rdkafka: null; readonly why: string };

const NAME = 'node-rdkafka';
const MEND = '`npm run rdkafka:build` builds it';
/** Where that command puts it; then wherever Node finds packages. */
const BUILT = join(import.meta.dirname, '..', '..', '.anchorline', 'rdkafka', 'package.json');

export function loadRdkafka(from: readonly string[] = [BUILT, import.meta.filename]): RdkafkaLoaded {
  for (const path of from) {
    const load = createRequire(pathToFileURL(path));
    try {
      load.resolve(NAME);
    } catch {
      continue;
    }
    try {
      return { rdkafka: load(NAME) as Rdkafka, why: null };
    } catch (error) {
      const [line] = messageOf(error).split('\n');
      return { rdkafka: null, why: `node-rdkafka cannot be loaded (${line}); ${MEND}` };
    }
  }
  return { rdkafka: null, why: `node-rdkafka is not there; ${MEND}` };
}
