/** A pool that asks for TLS and goes on without where the server speaks none: what the driver's own does not. */
import pg from 'pg';
import type { PoolClient } from 'pg';

import { refusesTls } from './tls.ts';

type Connected = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void;

export class PreferringPool extends pg.Pool {
  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | void {
    if (callback === undefined) return this.#connect();
    void this.#tell(callback);
  }

  async #tell(callback: Connected): Promise<void> {
    let client: PoolClient;
    try {
      client = await this.#connect();
    } catch (error) {
      callback(error as Error, undefined, () => undefined);
      return;
    }
    callback(undefined, client, (release) => client.release(release));
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await super.connect();
    } catch (error) {
      if (!refusesTls(error)) throw error;
      this.options.ssl = false;
      return super.connect();
    }
  }
}
