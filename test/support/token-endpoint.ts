/** An OAuth token endpoint for client credentials, over HTTP as it comes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TokenRequest {
  readonly authorization: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

export interface TokenEndpoint extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly TokenRequest[];
}

export interface TokenAnswer {
  readonly status?: number;
  readonly body: unknown;
}

export async function startTokenEndpoint(
  answer: (request: TokenRequest, count: number) => TokenAnswer,
): Promise<TokenEndpoint> {
  const requests: TokenRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
      const asked = { authorization: request.headers.authorization, form };
      requests.push(asked);
      const { status = 200, body } = answer(asked, requests.length);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
