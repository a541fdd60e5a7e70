/** Tokens for the brokers, by client credentials: one for all connections, renewed before it expires. */
import * as oauth from 'oauth4webapi';

import { AnchorlineError } from '../domain/errors.ts';
import { createFetch, rootOf } from '../net/http-client.ts';
import { tlsFailure } from '../net/tls.ts';
import type { TlsMaterial } from '../net/tls.ts';
import { KAFKA_ERRORS, messageOf } from './errors.ts';

export interface TokenEndpoint {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clientAuth: 'basic' | 'post';
  readonly scope: string | null;
  readonly audience: string | null;
  readonly tls: TlsMaterial;
}

/** As kafkajs asks for it, with each login. Throws AnchorlineError KAF010 or KAF012, both to be tried again. */
export type TokenSource = () => Promise<{ readonly value: string }>;

interface Token {
  readonly value: string;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

const REQUEST_TIMEOUT_MS = 10_000;
/**
 * Renewed when this share of its life is over. The rest bridges an endpoint that is away for a while, and is a session's
 * life at the broker, which must not be over at once.
 */
const RENEW_AFTER = 0.5;
/** Of an endpoint that does not say how long its tokens live. */
const UNTOLD_LIFE_S = 60;

export function createTokenSource(endpoint: TokenEndpoint, nowMs: () => number): TokenSource {
  const fetch = createFetch({ tls: endpoint.tls, authorization: null });
  let token: Token | null = null;
  let asking: Promise<Token> | null = null;
  return async () => {
    if (token !== null && nowMs() < token.renewAtMs) return { value: token.value };
    asking ??= ask(endpoint, fetch, nowMs).finally(() => (asking = null));
    try {
      token = await asking;
    } catch (error) {
      if (token === null || nowMs() >= token.endsAtMs) throw error;
    }
    return { value: token.value };
  };
}

async function ask(
  endpoint: TokenEndpoint,
  fetch: ReturnType<typeof createFetch>,
  nowMs: () => number,
): Promise<Token> {
  const { url, clientId, clientSecret, clientAuth, scope, audience } = endpoint;
  const server = { issuer: url, token_endpoint: url };
  const client = { client_id: clientId };
  const proof =
    clientAuth === 'basic' ? oauth.ClientSecretBasic(clientSecret) : oauth.ClientSecretPost(clientSecret);
  const parameters = { ...(scope === null ? {} : { scope }), ...(audience === null ? {} : { audience }) };
  const askedAtMs = nowMs();
  try {
    const response = await oauth.clientCredentialsGrantRequest(server, client, proof, parameters, {
      [oauth.allowInsecureRequests]: url.startsWith('http:'),
      [oauth.customFetch]: (to, { method, headers, body }) =>
        fetch(to, {
          method,
          headers,
          body: String(body),
          redirect: 'manual',
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        }),
    });
    const answer = await oauth.processClientCredentialsResponse(server, client, response);
    const lifeMs = (answer.expires_in ?? UNTOLD_LIFE_S) * 1_000;
    return {
      value: answer.access_token,
      renewAtMs: askedAtMs + lifeMs * RENEW_AFTER,
      endsAtMs: askedAtMs + lifeMs,
    };
  } catch (error) {
    throw tokenError(url, error);
  }
}

/** Neither the secret nor the token is in any of these messages. */
function tokenError(url: string, error: unknown): AnchorlineError {
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.WWWAuthenticateChallengeError) {
    const said = error instanceof oauth.ResponseBodyError ? error.error : `status ${error.status}`;
    return new AnchorlineError(
      KAFKA_ERRORS.loginRefused,
      `the token endpoint ${url} refuses (${said}): check kafka.oauthClientId, kafka.oauthClientSecret, kafka.oauthClientAuth and kafka.oauthScope`,
      { retryable: true },
    );
  }
  const tls = tlsFailure(error);
  const why = tls === null ? messageOf(rootOf(error)) : `${tls}; check kafka.oauthTlsCaFile`;
  return new AnchorlineError(KAFKA_ERRORS.noToken, `no token from kafka.oauthTokenUrl (${url}): ${why}`, {
    retryable: true,
  });
}
