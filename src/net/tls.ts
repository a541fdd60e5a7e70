/** TLS as a client: what files say, and what a failed handshake means. */
import { createSecureContext } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

import { ConfigurationError } from '../domain/errors.ts';

/** Paths and secrets as the settings give them; null: none. */
export interface TlsFiles {
  /** Authorities to trust, PEM; none: those that Node brings. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly keyPassphrase: string | null;
}

/** What the files hold, as Node's TLS takes it. */
export type TlsMaterial = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase'>;

/**
 * Reads the files and tries them. Throws ConfigurationError CFG006 that names the setting, as in `kafka.tlsKeyFile`,
 * for one that cannot be read or used; `settings` is what their names begin with, as in `kafka.tls`.
 */
export function readTls(settings: string, files: TlsFiles, readFile: (path: string) => string): TlsMaterial {
  const read = (setting: string, path: string | null): string | undefined => {
    if (path === null) return undefined;
    try {
      return readFile(path);
    } catch (error) {
      throw unusable(`${settings}${setting}`, path, error);
    }
  };
  const ca = read('CaFile', files.caFile);
  const cert = read('CertFile', files.certFile);
  const key = read('KeyFile', files.keyFile);
  if (ca !== undefined) attempt(() => ({ ca: pem(ca) }), `${settings}CaFile`, files.caFile);
  if (cert !== undefined) attempt(() => ({ cert: pem(cert) }), `${settings}CertFile`, files.certFile);
  const own = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(files.keyPassphrase === null ? {} : { passphrase: files.keyPassphrase }),
  };
  // A key of another certificate, or another passphrase, shows with both together only.
  attempt(() => own, `${settings}KeyFile`, files.keyFile);
  return { ...(ca === undefined ? {} : { ca }), ...own };
}

function attempt(material: () => TlsMaterial, setting: string, path: string | null): void {
  try {
    createSecureContext(material());
  } catch (error) {
    throw unusable(setting, path, error);
  }
}

/** OpenSSL passes over what is no certificate without a word: an empty file would then trust nobody. */
function pem(text: string): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Error('it holds no certificate in PEM');
}

function unusable(setting: string, path: string | null, cause: unknown): ConfigurationError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConfigurationError('CFG006', `${setting} (${path}) cannot be used: ${why}`, cause);
}

/** Why a peer's certificate was not taken, by Node's code. */
const UNTRUSTED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is of an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that is not trusted',
};

/** What went wrong in a handshake, in words with the code; null where the error is about something else. */
export function tlsFailure(error: unknown): string | null {
  for (const [at, code] of codes(error)) {
    const untrusted = UNTRUSTED[code];
    if (untrusted !== undefined) return `${untrusted} (${code})`;
    if (!/^(ERR_SSL_|ERR_TLS_|CERT_|CRL_)/.test(code)) continue;
    if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code))
      return `it does not speak TLS there (${code})`;
    if (/ALERT/.test(code)) return `it does not take our certificate, or wants one (${code})`;
    return `${at} (${code})`;
  }
  return null;
}

function* codes(error: unknown): Generator<readonly [string, string]> {
  let at = error;
  for (let depth = 0; depth < 8 && at instanceof Error; depth += 1) {
    if ('code' in at && typeof at.code === 'string') yield [at.message, at.code];
    at = at.cause;
  }
}
