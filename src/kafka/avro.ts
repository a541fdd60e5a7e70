/**
 * Avro in the Confluent wire format (a zero byte, the schema's id in four bytes, the body), with schemas from a
 * registry that speaks Confluent's API.
 */
import { Agent } from 'node:https';

import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import type { Type } from 'avsc';
import { REJECTIONS } from '../domain/cdc.ts';
import type { Rejection, RejectionCode } from '../domain/cdc.ts';
import { AnchorlineError, ConfigurationError } from '../domain/errors.ts';
import { OPEN_ACCESS, createFetch, rootOf } from '../net/http-client.ts';
import type { Fetch, HttpAccess } from '../net/http-client.ts';
import { tlsFailure } from '../net/tls.ts';
import { safeLongs } from './safe-long.ts';

const MAGIC_BYTE = 0;
const HEADER_BYTES = 5;
const REQUEST_TIMEOUT_MS = 10_000;
/** How long a schema that the registry does not know is not asked for again. */
const MISSING_MS = 5_000;

export type AvroResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly rejection: Rejection };

export interface AvroDecoder {
  /**
   * The decoded value, at once where the schema is known already. A record that never can be decoded is a
   * rejection; the promise rejects with a retryable error while the registry is out of reach.
   */
  decode(record: Buffer): AvroResult | Promise<AvroResult>;
}

export interface AvroEncoder {
  /** Throws a TypeError for a value that does not fit the schema: a bug, never bad input. */
  encode(value: unknown): Buffer;
}

/** A registry that asks for no login may be given by its url alone. */
export interface RegistryAddress {
  readonly url: string;
  readonly access: HttpAccess;
}

export function createAvroDecoder(
  registry: RegistryAddress | string,
  nowMs: () => number = Date.now,
): AvroDecoder {
  return new RegistryDecoder(new Registry(registry), nowMs);
}

/** True where the address is a registry's that works. */
export async function registryAnswers(registry: RegistryAddress | string): Promise<boolean> {
  return (await new Registry(registry).subjects()) !== null;
}

/**
 * Registers the schema under the subject, whose compatibility becomes FULL_TRANSITIVE: a compacted topic keeps
 * records of every version. Throws ConfigurationError where the registry holds versions it does not fit.
 */
export async function createAvroEncoder(
  address: RegistryAddress | string,
  subject: string,
  schema: object,
): Promise<AvroEncoder> {
  const registry = new Registry(address);
  const id = await registry.register(subject, schema);
  const type = await registry.schema(id);
  return {
    encode: (value) => {
      try {
        return framed(id, type.toBuffer(value));
      } catch (cause) {
        throw new TypeError(`${subject}: the value does not fit the schema at ${misfits(type, value)}`, {
          cause,
        });
      }
    },
  };
}

/** The encoded value without magic byte and schema id. */
export function avroBody(record: Buffer): Buffer {
  return record.subarray(HEADER_BYTES);
}

/**
 * Encodes with the subject's latest schema, which somebody else registered. Throws ConfigurationError where there is
 * none, and from the encoder a TypeError for what does not fit it.
 */
export async function createKeyEncoder(
  address: RegistryAddress | string,
  subject: string,
): Promise<(value: unknown) => Buffer> {
  const registry = new Registry(address);
  const id = await registry.latest(subject);
  const type = await registry.schema(id);
  return (value) => framed(id, type.toBuffer(value));
}

/** Avro's own message is of no use where the value holds a bigint. */
function misfits(type: Type, value: unknown): string {
  const paths: string[] = [];
  type.isValid(value, { errorHook: (path) => void paths.push(path.join('.')) });
  return paths.join(', ') || 'the top';
}

function framed(id: number, body: Buffer): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  record.writeUInt8(MAGIC_BYTE, 0);
  record.writeInt32BE(id, 1);
  body.copy(record, HEADER_BYTES);
  return record;
}

class RegistryDecoder implements AvroDecoder {
  readonly #registry: Registry;
  /** A schema never changes under its id, nor does what is wrong with it. */
  readonly #known = new Map<number, Type | Rejection>();
  /** Unknown to the registry, which may change: each until when that is believed. */
  readonly #missing = new Map<number, { readonly rejection: Rejection; readonly untilMs: number }>();
  readonly #asked = new Map<number, Promise<Type | Rejection>>();
  readonly #nowMs: () => number;

  constructor(registry: Registry, nowMs: () => number) {
    this.#registry = registry;
    this.#nowMs = nowMs;
  }

  decode(record: Buffer): AvroResult | Promise<AvroResult> {
    if (record.length < HEADER_BYTES || record[0] !== MAGIC_BYTE) {
      return refused(REJECTIONS.undecodable, `not Avro in the registry's wire format: ${shown(record)}`);
    }
    const id = record.readInt32BE(1);
    const known = this.#known.get(id);
    if (known !== undefined) return decodeWith(known, id, record);
    const missing = this.#missing.get(id);
    if (missing !== undefined && this.#nowMs() < missing.untilMs) {
      return { ok: false, rejection: missing.rejection };
    }
    return this.#ask(id).then((schema) => decodeWith(schema, id, record));
  }

  /** One question per schema, however many records wait for the answer. */
  #ask(id: number): Promise<Type | Rejection> {
    let answer = this.#asked.get(id);
    if (answer === undefined) {
      answer = this.#look(id).finally(() => this.#asked.delete(id));
      this.#asked.set(id, answer);
    }
    return answer;
  }

  async #look(id: number): Promise<Type | Rejection> {
    try {
      const type = await this.#registry.schema(id);
      this.#known.set(id, type);
      return type;
    } catch (error) {
      const status = statusOf(error);
      // What answers 404, or no schema, may be no registry at all; and a schema that is unknown may be
      // registered later, so only the unusable is remembered for good.
      const subjects = status === 404 || status === undefined ? await this.#registry.subjects() : null;
      if (subjects === null) throw outOfReach(error);
      if (status === 404 && subjects.length === 0) throw new EmptyRegistryError(id, error);
      const rejection = { code: REJECTIONS.unknownSchema, message: `schema ${id}: ${messageOf(error)}` };
      if (status === undefined) this.#known.set(id, rejection);
      else this.#missing.set(id, { rejection, untilMs: this.#nowMs() + MISSING_MS });
      return rejection;
    }
  }
}

function decodeWith(schema: Type | Rejection, id: number, record: Buffer): AvroResult {
  if ('code' in schema) return { ok: false, rejection: schema };
  try {
    return { ok: true, value: schema.fromBuffer(record.subarray(HEADER_BYTES)) };
  } catch (error) {
    return refused(REJECTIONS.undecodable, `does not fit schema ${id}: ${messageOf(error)}`);
  }
}

/** Whoever wrote the record had registered its schema: a registry without any has lost its data, or is another one. */
class EmptyRegistryError extends AnchorlineError {
  constructor(schemaId: number, cause: unknown) {
    super(
      'REG004',
      `the schema registry knows no schema at all, so not ${schemaId} either: restore its data, or mend registry.url`,
      { cause, retryable: true },
    );
  }
}

/** The registry's client, with an end to waiting and longs that are safe. */
class Registry {
  readonly #url: string;
  readonly #client: SchemaRegistry;
  readonly #request: Fetch;

  constructor(address: RegistryAddress | string) {
    const { url, access } = typeof address === 'string' ? { url: address, access: OPEN_ACCESS } : address;
    this.#url = url.replace(/\/+$/, '');
    this.#request = createFetch(access);
    const headers = access.authorization === null ? {} : { authorization: access.authorization };
    this.#client = new SchemaRegistry(
      {
        host: this.#url,
        retry: { retries: 0 },
        ...(url.startsWith('https:') ? { agent: new Agent({ ...access.tls, keepAlive: true }) } : {}),
        middlewares: [
          () => ({ request: (request) => request.enhance({ timeout: REQUEST_TIMEOUT_MS, headers }) }),
        ],
      },
      { [SchemaType.AVRO]: { typeHook: safeLongs } },
    );
  }

  async schema(id: number): Promise<Type> {
    return (await this.#client.getSchema(id)) as unknown as Type;
  }

  /** The id of the subject's newest schema. */
  async latest(subject: string): Promise<number> {
    try {
      return await this.#client.getLatestSchemaId(subject);
    } catch (error) {
      if (statusOf(error) === 404 && (await this.subjects()) !== null) {
        throw new ConfigurationError('REG003', `the registry has no schema under ${subject}`, error);
      }
      throw outOfReach(error);
    }
  }

  async register(subject: string, schema: object): Promise<number> {
    try {
      await this.#requireCompatibility(subject);
      const registered = await this.#client.register(
        { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
        { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE },
      );
      return registered.id;
    } catch (error) {
      if (await this.#isRefusal(error)) {
        throw new ConfigurationError('REG002', `${subject} cannot be registered: ${messageOf(error)}`, error);
      }
      throw outOfReach(error);
    }
  }

  /** Names of all subjects; null where the address is no registry's that works. */
  async subjects(): Promise<readonly unknown[] | null> {
    try {
      const response = await this.#fetch('/subjects');
      const subjects: unknown = response.ok ? await response.json() : null;
      return Array.isArray(subjects) ? subjects : null;
    } catch {
      return null;
    }
  }

  /** Refused for what it is; anything else, or no answer at all, may heal. */
  async #isRefusal(error: unknown): Promise<boolean> {
    const status = statusOf(error);
    if (status === undefined) return (await this.subjects()) !== null;
    return status === 409 || status === 422;
  }

  /**
   * The client refuses a subject of another level, and some registries report their default as the subject's
   * own. A subject that does not exist yet cannot have a level everywhere: the client sets it once registered.
   */
  async #requireCompatibility(subject: string): Promise<void> {
    const response = await this.#fetch(`/config/${encodeURIComponent(subject)}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ compatibility: COMPATIBILITY.FULL_TRANSITIVE }),
    });
    if (response.ok || response.status === 404) return;
    throw Object.assign(new Error(`compatibility of ${subject} cannot be set: ${await response.text()}`), {
      status: response.status,
    });
  }

  #fetch(path: string, init: Parameters<Fetch>[1] = {}): Promise<Response> {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    return this.#request(`${this.#url}${path}`, { ...init, signal });
  }
}

function refused(code: RejectionCode, message: string): AvroResult {
  return { ok: false, rejection: { code, message } };
}

/** Not now, or not for who we are: either may heal. */
function outOfReach(cause: unknown): AnchorlineError {
  const [code, message] = outage(cause);
  return new AnchorlineError(code, message, { cause, retryable: true });
}

function outage(cause: unknown): readonly [string, string] {
  const status = statusOf(cause);
  if (status === 401 || status === 403) {
    const settings = 'registry.username and registry.password, or registry.token';
    return ['REG010', `the schema registry refuses the login (status ${status}): check ${settings}`];
  }
  const tls = tlsFailure(cause);
  if (tls !== null) {
    const settings = 'registry.url, registry.tlsCaFile and registry.tlsCertFile';
    return ['REG011', `no TLS with the schema registry: ${tls}; check ${settings}`];
  }
  return ['REG001', `the schema registry does not answer: ${messageOf(rootOf(cause))}`];
}

/** The HTTP status that the registry's client met; undefined where the answer came but was of no use. */
function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function shown(record: Buffer): string {
  return `${record.length} bytes, ${record.subarray(0, HEADER_BYTES).toString('hex') || 'empty'}`;
}
