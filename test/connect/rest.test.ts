/** What a caller is told of answers that are not Connect's usual ones; the usual ones are tested on the real Connect. */
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ConnectRest } from '../../src/connect/rest.ts';

let server: Server | null = null;

afterEach(async () => {
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

async function answering(answer: (response: ServerResponse, call: number) => void): Promise<string> {
  let calls = 0;
  server = createServer((_request, response) => answer(response, (calls += 1)));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const call = (url: string, retries = 0) => new ConnectRest(url, retries).call('GET', '/connectors/x/status');

describe('an answer', () => {
  test.each([
    [200, '{"connector":{}}', { connector: {} }],
    [204, '', null],
    [404, '{"error_code":404,"message":"No status found"}', null],
  ])('of status %i is %s', async (status, body, expected) => {
    const url = await answering((response) => response.writeHead(status).end(body));
    expect(await call(url)).toEqual(expected);
  });

  test.each([
    ['a page', 200, '<html>hello</html>'],
    ['a page that is missing', 404, '<html>not found</html>'],
    ['an empty 404', 404, ''],
    ['a 404 in another form', 404, '{"status":404,"title":"no such path"}'],
  ])('that is not Connect’s is told so: %s', async (_what, status, body) => {
    const url = await answering((response) => response.writeHead(status).end(body));
    await expect(call(url)).rejects.toMatchObject({
      code: 'CON003',
      retryable: false,
      message: expect.stringContaining('is not Kafka Connect'),
    });
  });

  test.each([401, 403])('%i asks for a login', async (status) => {
    const url = await answering((response) => response.writeHead(status).end('no'));
    await expect(call(url)).rejects.toMatchObject({
      code: 'CON003',
      message: expect.stringContaining('login'),
    });
  });

  test('that refuses holds Connect’s words', async () => {
    const body = '{"error_code":400,"message":"Connectors must be in the STOPPED state"}';
    const url = await answering((response) => response.writeHead(400).end(body));
    await expect(call(url)).rejects.toMatchObject({
      code: 'CON003',
      message: expect.stringContaining('must be in the STOPPED state'),
    });
  });

  test('is asked for again while a rebalance runs', async () => {
    const url = await answering((response, calls) =>
      calls < 3
        ? response.writeHead(calls === 1 ? 409 : 503).end('{"error_code":409,"message":"rebalance"}')
        : response.end('{"state":"RUNNING"}'),
    );
    expect(await call(url, 3)).toEqual({ state: 'RUNNING' });
    await expect(call(await answering((response) => response.writeHead(409).end()))).rejects.toMatchObject({
      code: 'CON003',
      retryable: true,
    });
  });

  test('that nobody gives names the address and the reason', async () => {
    const url = await answering(() => undefined);
    await new Promise((resolve) => server?.close(resolve));
    server = null;
    await expect(call(url)).rejects.toMatchObject({
      code: 'CON002',
      retryable: true,
      message: expect.stringMatching(/127\.0\.0\.1:\d+ \(ECONNREFUSED\): start it, or check connect\.url/),
    });
  });
});
