/** One question over HTTP, and why it was not answered in words that help. */
import { rootOf } from '../../net/http-client.ts';
import type { Fetch } from '../../net/http-client.ts';
import { tlsFailure } from '../../net/tls.ts';
import { errorCode } from '../../runtime/describe-error.ts';

/** Any answer, refusals too. Rejects with what Node says under its `fetch failed`: ECONNREFUSED, ENOTFOUND. */
export async function ask(
  send: Fetch,
  url: string,
  signal: AbortSignal,
  init: Parameters<Fetch>[1] = {},
): Promise<Response> {
  try {
    return await send(url, { ...init, signal });
  } catch (error) {
    const root = rootOf(error);
    const why = tlsFailure(error) ?? errorCode(root) ?? String(root);
    throw new Error(`it does not answer (${why})`, { cause: error });
  }
}

/** An answer that is none of what was hoped for. */
export function refusal({ status }: Response, route: string): Error {
  const login = status === 401 || status === 403 ? ': it wants another login' : '';
  return new Error(`it answers ${route} with HTTP ${status}${login}`);
}

export function joined(url: string, route: string): string {
  return `${url.replace(/\/+$/, '')}${route}`;
}
