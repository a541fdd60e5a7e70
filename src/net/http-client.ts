/** HTTP with authorities, certificates and logins of one's own, for the registry, Connect and token endpoints. */
import { Agent, fetch as undiciFetch } from 'undici';
import type { RequestInit } from 'undici';

import type { TlsMaterial } from './tls.ts';

export interface HttpAccess {
  readonly tls: TlsMaterial;
  /** The header's whole value; null: none is sent. */
  readonly authorization: string | null;
}

export const OPEN_ACCESS: HttpAccess = { tls: {}, authorization: null };

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** fetch, with the access built in. Its connections close by themselves. */
export function createFetch({ tls, authorization }: HttpAccess): Fetch {
  const dispatcher = new Agent({ connect: { ...tls } });
  return async (url, init = {}) => {
    const headers = { ...(init.headers as Record<string, string> | undefined) };
    if (authorization !== null) headers['authorization'] = authorization;
    try {
      return await undiciFetch(url, { ...init, headers, dispatcher });
    } catch (error) {
      if (url.startsWith('https:') && tls.cert === undefined && wasClosedUnheard(error)) throw unheard(error);
      throw error;
    }
  };
}

/** The alert "certificate required" comes after the handshake, and undici passes over it. */
function wasClosedUnheard(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_SOCKET';
}

function unheard(cause: unknown): Error {
  const message = 'it closed the connection before it answered: it may want a certificate of ours';
  return Object.assign(new Error(message, { cause }), { code: 'ERR_TLS_CLOSED' });
}

/** `fetch failed` says nothing; its cause does. */
export function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? rootOf(error.cause) : error;
}

export interface Login {
  readonly username: string | null;
  readonly password: string | null;
  readonly token: string | null;
}

/** A token goes first; null where there is no login. */
export function authorizationOf({ username, password, token }: Login): string | null {
  if (token !== null) return `Bearer ${token}`;
  if (username === null) return null;
  return `Basic ${Buffer.from(`${username}:${password ?? ''}`, 'utf8').toString('base64')}`;
}
