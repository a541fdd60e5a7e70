/** One call of Connect's REST API: repeated while Connect rebalances or cannot be reached, refused in its own words. */
import pRetry from 'p-retry';
import { errorCode } from '../runtime/describe-error.ts';
import { OPEN_ACCESS, createFetch } from '../net/http-client.ts';
import type { Fetch, HttpAccess } from '../net/http-client.ts';
import { tlsFailure } from '../net/tls.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';

/** 409: a rebalance is under way; 503: the worker is still joining. */
const PASSING: ReadonlySet<number> = new Set([409, 503]);
const LOGIN: ReadonlySet<number> = new Set([401, 403]);
const CALL_LIMIT_MS = 60_000;

/** A Connect that asks for no login may be given by its url alone. */
export interface ConnectAddress {
  readonly url: string;
  readonly access: HttpAccess;
}

export class ConnectRest {
  readonly #url: string;
  readonly #request: Fetch;
  readonly #retries: number;

  constructor(address: ConnectAddress | string, retries: number) {
    const { url, access } = typeof address === 'string' ? { url: address, access: OPEN_ACCESS } : address;
    this.#url = url.replace(/\/$/, '');
    this.#request = createFetch(access);
    this.#retries = retries;
  }

  /** null for 404; throws CON002 when Connect cannot be reached, CON003 with its words when it refuses. */
  async call<T>(method: string, route: string, body?: unknown): Promise<T | null> {
    const attempt = async () => this.#answer<T>(await this.#fetch(method, route, body), method, route);
    return pRetry(attempt, {
      retries: this.#retries,
      minTimeout: 250,
      maxTimeout: 1000,
      shouldRetry: ({ error }) => error instanceof ConnectError && error.retryable,
    });
  }

  async #answer<T>(response: Response, method: string, route: string): Promise<T | null> {
    const { status, ok } = response;
    const answer = parsed(await response.text());
    if (LOGIN.has(status)) {
      throw new ConnectError(
        CONNECT_ERRORS.refused,
        `Connect at ${this.#url} refuses the login (HTTP ${status}): check connect.username and connect.password, or connect.token`,
      );
    }
    if (PASSING.has(status)) throw this.#refusal(method, route, answer, true);
    // Connect's own errors bear a code: a 404 without one comes from something else at this address.
    if (answer === undefined || (!ok && (answer === null || !('error_code' in answer)))) {
      throw new ConnectError(
        CONNECT_ERRORS.refused,
        `what answers at ${this.#url} is not Kafka Connect (HTTP ${status} to ${method} ${route}): check connect.url`,
      );
    }
    if (status === 404) return null;
    if (ok) return answer as T;
    throw this.#refusal(method, route, answer, false);
  }

  #refusal(method: string, route: string, answer: object | null | undefined, retryable: boolean) {
    const words =
      answer !== null && answer !== undefined && 'message' in answer ? answer.message : 'no reason';
    return new ConnectError(CONNECT_ERRORS.refused, `Connect refuses ${method} ${route}: ${String(words)}`, {
      retryable,
    });
  }

  async #fetch(method: string, route: string, body: unknown): Promise<Response> {
    try {
      return await this.#request(this.#url + route, {
        method,
        signal: AbortSignal.timeout(CALL_LIMIT_MS),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
    } catch (error) {
      const tls = tlsFailure(error);
      const said =
        tls === null
          ? `Kafka Connect does not answer at ${this.#url}${reasonOf(error)}: start it, or check connect.url`
          : `no TLS with Kafka Connect at ${this.#url}: ${tls}; check connect.url, connect.tlsCaFile and connect.tlsCertFile`;
      throw new ConnectError(CONNECT_ERRORS.unreachable, said, { cause: error, retryable: tls === null });
    }
  }
}

/** What Node says under its `fetch failed`: ECONNREFUSED, ENOTFOUND; a limit that ran out has a name alone. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return ` (${errorCode(cause) ?? (cause instanceof Error ? cause.name : String(cause))})`;
}

/** null for an empty body, undefined for anything but a JSON object or list. */
function parsed(text: string): object | null | undefined {
  if (text === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
