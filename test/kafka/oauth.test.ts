import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { createTokenSource } from '../../src/kafka/oauth.ts';
import type { TokenEndpoint } from '../../src/kafka/oauth.ts';
import { Certificates } from '../support/certificates.ts';
import { freePorts } from '../support/free-ports.ts';
import { startTlsProxy } from '../support/tls-proxy.ts';
import { startTokenEndpoint } from '../support/token-endpoint.ts';
import type { TokenAnswer } from '../support/token-endpoint.ts';

const SECRET = 'cl1ent+s/cret';

function clientOf(url: string, changes: Partial<TokenEndpoint> = {}): TokenEndpoint {
  return {
    url,
    clientId: 'anchorline',
    clientSecret: SECRET,
    clientAuth: 'basic',
    scope: null,
    audience: null,
    tls: {},
    ...changes,
  };
}

const numbered =
  (lifeS: number | undefined) =>
  (_request: unknown, count: number): TokenAnswer => ({
    body: { access_token: `token-${count}`, token_type: 'Bearer', ...(lifeS === undefined ? {} : { expires_in: lifeS }) }, // prettier-ignore
  });

describe('the token source', () => {
  it('asks as it is told: in the header or in the form, for a scope and an audience', async () => {
    await using endpoint = await startTokenEndpoint(numbered(60));
    await createTokenSource(clientOf(endpoint.url), Date.now)();
    const more = { clientAuth: 'post', scope: 'kafka read', audience: 'brokers' } as const;
    expect(await createTokenSource(clientOf(endpoint.url, more), Date.now)()).toEqual({ value: 'token-2' });
    const basic = Buffer.from(`anchorline:${encodeURIComponent(SECRET)}`).toString('base64');
    expect(endpoint.requests).toEqual([
      { authorization: `Basic ${basic}`, form: { grant_type: 'client_credentials' } },
      {
        authorization: undefined,
        form: {
          grant_type: 'client_credentials',
          client_id: 'anchorline',
          client_secret: SECRET,
          scope: 'kafka read',
          audience: 'brokers',
        },
      },
    ]);
  });

  it('keeps a token for all who ask, and renews it before it ends', async () => {
    await using endpoint = await startTokenEndpoint(numbered(100));
    let nowMs = 0;
    const source = createTokenSource(clientOf(endpoint.url), () => nowMs);
    const first = await Promise.all(Array.from({ length: 5 }, source));
    expect(first.map(({ value }) => value)).toEqual(Array(5).fill('token-1'));
    nowMs = 49_999;
    expect(await source()).toEqual({ value: 'token-1' });
    nowMs = 50_000;
    expect(await source()).toEqual({ value: 'token-2' });
    expect(endpoint.requests).toHaveLength(2);
  });

  it('takes a life that it is not told for a short one', async () => {
    await using endpoint = await startTokenEndpoint(numbered(undefined));
    let nowMs = 0;
    const source = createTokenSource(clientOf(endpoint.url), () => nowMs);
    await source();
    nowMs = 60_000;
    expect(await source()).toEqual({ value: 'token-2' });
  });

  it('goes on with the token that it has while the endpoint is away, and not longer than that lives', async () => {
    const answer = (_request: unknown, count: number): TokenAnswer =>
      count === 1 ? numbered(100)(null, 1) : { status: 503, body: {} };
    await using endpoint = await startTokenEndpoint(answer);
    let nowMs = 0;
    const source = createTokenSource(clientOf(endpoint.url), () => nowMs);
    await source();
    nowMs = 99_999;
    expect(await source()).toEqual({ value: 'token-1' });
    nowMs = 100_000;
    await expect(source()).rejects.toMatchObject({ code: 'KAF012', retryable: true });
  });

  it.each([
    ['a refusal', { status: 401, body: { error: 'invalid_client' } }, 'KAF010', /\(invalid_client\): check kafka\.oauthClientId, kafka\.oauthClientSecret/], // prettier-ignore
    ['a scope that it does not give', { status: 400, body: { error: 'invalid_scope' } }, 'KAF010', /\(invalid_scope\).*kafka\.oauthScope/], // prettier-ignore
    ['an outage', { status: 500, body: 'down' }, 'KAF012', /no token from kafka\.oauthTokenUrl/],
    ['something else than a token', { body: { hello: 'world' } }, 'KAF012', /no token from kafka\.oauthTokenUrl/], // prettier-ignore
  ])('says so where it meets %s, without the secret', async (_what, answer, code, said) => {
    await using endpoint = await startTokenEndpoint(() => answer);
    const asking = createTokenSource(clientOf(endpoint.url), Date.now)();
    await expect(asking).rejects.toMatchObject({
      code,
      retryable: true,
      message: expect.stringMatching(said) as string,
    });
    await expect(asking).rejects.not.toThrow(SECRET);
  });

  it('says so where nobody answers', async () => {
    const [port = 0] = await freePorts(1);
    const asking = createTokenSource(clientOf(`http://127.0.0.1:${port}/token`), Date.now)();
    await expect(asking).rejects.toMatchObject({
      code: 'KAF012',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('believes the authority that it is given alone', async () => {
    await using made = await Certificates.open();
    await using endpoint = await startTokenEndpoint(numbered(60));
    const authority = await made.authority();
    const certificate = await authority.issue('endpoint');
    await using front = await startTlsProxy({ url: endpoint.url.replace('/token', ''), certificate });
    const ca = readFileSync(authority.caFile, 'utf8');
    const url = `${front.url}/token`;
    expect(await createTokenSource(clientOf(url, { tls: { ca } }), Date.now)()).toEqual({ value: 'token-1' });
    await expect(createTokenSource(clientOf(url), Date.now)()).rejects.toMatchObject({
      code: 'KAF012',
      message: expect.stringContaining('check kafka.oauthTlsCaFile') as string,
    });
  });
});
