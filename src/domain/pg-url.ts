/** Postgres urls, and what they say of TLS: the drivers read that in ways of their own. */
export const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

export interface PgUrl {
  /** Without what it said of TLS. */
  readonly url: string;
  readonly mode: TlsMode | null;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const;

export function splitPgUrl(text: string): PgUrl {
  const url = new URL(text);
  const [mode, caFile = null, certFile = null, keyFile = null] = PARAMETERS.map((name) =>
    url.searchParams.get(name),
  );
  for (const name of PARAMETERS) url.searchParams.delete(name);
  return {
    url: url.href,
    mode: TLS_MODES.find((known) => known === mode) ?? null,
    caFile,
    certFile,
    keyFile,
  };
}

/** Parameters by which the driver would do something else about TLS than the mode says. */
const OTHERS = ['ssl', 'uselibpqcompat', 'sslnegotiation', 'sslpassword'] as const;

/** False for an sslmode that there is not, and for what has no meaning here. */
export function isPgUrl(url: URL): boolean {
  const mode = url.searchParams.get('sslmode');
  const isMode = mode === null || TLS_MODES.some((known) => known === mode);
  return isMode && OTHERS.every((name) => !url.searchParams.has(name));
}
