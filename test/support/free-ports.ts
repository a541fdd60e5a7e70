/** Ports for servers that tests start. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 32_000;

/**
 * Below the ports that systems give to outgoing connections (from 32768 on Linux): while a part that was killed is away,
 * a client would get its port, or connect to itself there. All are held open until the last is known, so no two are
 * the same.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const server = await listenOn(randomInt(LOWEST_PORT, HIGHEST_PORT));
    if (server !== null) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** null where the port is taken. */
function listenOn(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
