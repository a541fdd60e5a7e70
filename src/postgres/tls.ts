/**
 * TLS to Postgres by the modes of libpq, which node-postgres reads otherwise: `require` asks for encryption and
 * believes anybody (with an authority to trust it is `verify-ca`, as there), `prefer` goes on without.
 */
import type { ConnectionOptions } from 'node:tls';

import type { TlsMode } from '../domain/pg-url.ts';
import type { TlsMaterial } from '../net/tls.ts';

export interface PgTls {
  readonly mode: TlsMode;
  readonly material: TlsMaterial;
}

export const NO_TLS: PgTls = { mode: 'disable', material: {} };

/** As `ssl` of a node-postgres client; a new object each time, because the driver hides the key in the one it is given. */
export function pgSsl({ mode, material }: PgTls): false | ConnectionOptions {
  switch (mode) {
    case 'disable':
      return false;
    case 'prefer':
      return { ...material, rejectUnauthorized: false };
    case 'require':
      if (material.ca === undefined) return { ...material, rejectUnauthorized: false };
      return { ...material, checkServerIdentity: anyName };
    case 'verify-ca':
      return { ...material, checkServerIdentity: anyName };
    case 'verify-full':
      return { ...material };
  }
}

/** True where the server speaks no TLS: what `prefer` goes on without. */
export function refusesTls(error: unknown): boolean {
  // The driver gives it no code.
  return error instanceof Error && error.message === 'The server does not support SSL connections';
}

function anyName(): undefined {
  return undefined;
}
