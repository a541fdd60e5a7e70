/** Between the processes and the state store's Postgres: a network that is slow, silent, cut, or cut in the midst of a COMMIT. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** `silent`: nothing passes, and nobody is told. */
export type Weather = 'fine' | 'slow' | 'silent';

const SLOW_MS = 60;

/** As the driver sends it: a simple query. */
const COMMIT = Buffer.from('COMMIT\0');

export class FireProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>();
  #weather: Weather = 'fine';
  #commitsToCut = 0;
  #commitsCut = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async before(host: string, port: number): Promise<FireProxy> {
    const server = createServer();
    const proxy = new FireProxy(server);
    server.on('connection', (client) => proxy.#join(client, connect(port, host)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get commitsCut(): number {
    return this.#commitsCut;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    for (const pair of this.#pairs) {
      for (const socket of pair)
        if (weather === 'silent') socket.pause();
        else socket.resume();
    }
  }

  /** Of the next COMMITs the server gets every other one; the client hears of none of them. */
  cutCommits(count: number): void {
    this.#commitsToCut += count;
  }

  /** As a firewall that forgets its connections. */
  cutAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (bytes: Buffer) => this.#toServer(bytes, client, server));
    server.on('data', (bytes: Buffer) => client.write(bytes));
    if (this.#weather === 'silent') for (const socket of pair) socket.pause();
  }

  #toServer(bytes: Buffer, client: Socket, server: Socket): void {
    if (this.#commitsToCut > 0 && bytes.includes(COMMIT)) {
      this.#commitsToCut -= 1;
      this.#commitsCut += 1;
      if (this.#commitsCut % 2 === 0) server.end(bytes);
      else server.destroy();
      client.destroy();
      return;
    }
    if (this.#weather !== 'slow') return void server.write(bytes);
    client.pause();
    setTimeout(() => {
      server.write(bytes);
      if (this.#weather !== 'silent') client.resume();
    }, SLOW_MS);
  }
}
