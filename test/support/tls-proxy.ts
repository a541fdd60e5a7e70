/** TLS, certificates and a login in front of a plain HTTP server: what a registry or Connect has in production. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';

import type { Issued } from './certificates.ts';

export interface ProxyOptions {
  /** Of the server behind. */
  readonly url: string;
  readonly certificate: Issued;
  /** Clients must show a certificate of this authority. */
  readonly clientCaFile?: string;
  /** What the header must say; anything else is answered with 401. */
  readonly authorization?: string;
}

export interface TlsProxy extends AsyncDisposable {
  readonly port: number;
  /** With an address, for which the certificate is unless a test says otherwise. */
  readonly url: string;
}

export async function startTlsProxy(options: ProxyOptions): Promise<TlsProxy> {
  const { certificate, clientCaFile, authorization } = options;
  const ca = clientCaFile === undefined ? {} : { ca: readFileSync(clientCaFile), requestCert: true };
  const tls = { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile), ...ca };
  const server = createServer(tls, (request, response) => {
    void (async () => {
      if (authorization !== undefined && request.headers.authorization !== authorization) {
        response.writeHead(401).end('{"error_code":401,"message":"Unauthorized"}');
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const type = request.headers['content-type'];
      const answer = await fetch(options.url + (request.url ?? ''), {
        method: request.method ?? 'GET',
        ...(type === undefined ? {} : { headers: { 'content-type': type } }),
        ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
      });
      const answered = answer.headers.get('content-type') ?? 'application/json';
      response
        .writeHead(answer.status, { 'content-type': answered })
        .end(Buffer.from(await answer.arrayBuffer()));
    })().catch((error: unknown) => response.writeHead(502).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
