/** From settings to what proves who we are and who answers: certificates are read here, once, and tried. */
import { readFileSync } from 'node:fs';

import type { Config } from './config/load.ts';
import type { ConnectAddress } from './connect/rest.ts';
import { splitPgUrl } from './domain/pg-url.ts';
import type { TlsMode } from './domain/pg-url.ts';
import type { RegistryAddress } from './kafka/avro.ts';
import type { KafkaConnection } from './kafka/client.ts';
import { oauthMechanism } from './kafka/oauth-login.ts';
import { createTokenSource } from './kafka/oauth.ts';
import type { TokenEndpoint } from './kafka/oauth.ts';
import { authorizationOf } from './net/http-client.ts';
import type { HttpAccess, Login } from './net/http-client.ts';
import { readTls } from './net/tls.ts';
import type { TlsMaterial } from './net/tls.ts';
import type { PgTls } from './postgres/tls.ts';

interface TlsSettings {
  readonly tlsCaFile: string | null;
  readonly tlsCertFile: string | null;
  readonly tlsKeyFile: string | null;
  readonly tlsKeyPassphrase: string | null;
}

/** Throws ConfigurationError CFG006 for a file that cannot be used. */
export function tlsMaterialOf(section: string, settings: TlsSettings): TlsMaterial {
  const files = {
    caFile: settings.tlsCaFile,
    certFile: settings.tlsCertFile,
    keyFile: settings.tlsKeyFile,
    keyPassphrase: settings.tlsKeyPassphrase,
  };
  return readTls(`${section}.tls`, files, readText);
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

/** How the brokers are spoken to; tokens are kept per call of this, so one connection's description serves a process. */
export function kafkaAccessOf({ kafka }: Config): Pick<KafkaConnection, 'tls' | 'sasl'> {
  const name = kafka.tlsServerName === null ? {} : { servername: kafka.tlsServerName };
  return {
    tls: kafka.tls ? { ...tlsMaterialOf('kafka', kafka), ...name } : null,
    sasl: saslOf(kafka),
  };
}

function saslOf(kafka: Config['kafka']): KafkaConnection['sasl'] {
  if (kafka.saslMechanism === 'none') return null;
  if (kafka.saslMechanism === 'oauthbearer')
    return oauthMechanism(createTokenSource(tokenEndpointOf(kafka), Date.now));
  const { saslUsername: username, saslPassword: password } = kafka;
  // The union has one member per mechanism; their fields are the same.
  return { mechanism: kafka.saslMechanism as 'plain', username: username ?? '', password: password ?? '' };
}

function tokenEndpointOf(kafka: Config['kafka']): TokenEndpoint {
  const files = { caFile: kafka.oauthTlsCaFile, certFile: null, keyFile: null, keyPassphrase: null };
  return {
    url: kafka.oauthTokenUrl ?? '',
    clientId: kafka.oauthClientId ?? '',
    clientSecret: kafka.oauthClientSecret ?? '',
    clientAuth: kafka.oauthClientAuth,
    scope: kafka.oauthScope,
    audience: kafka.oauthAudience,
    tls: readTls('kafka.oauthTls', files, readText),
  };
}

export function httpAccessOf(section: string, settings: TlsSettings & Login): HttpAccess {
  return { tls: tlsMaterialOf(section, settings), authorization: authorizationOf(settings) };
}

export function registryOf({ registry }: Config): RegistryAddress {
  return { url: registry.url, access: httpAccessOf('registry', registry) };
}

export function connectOf({ connect }: Config): ConnectAddress {
  return { url: connect.url, access: httpAccessOf('connect', connect) };
}

export interface PgAccess {
  readonly url: string;
  readonly tls: PgTls;
}

export function storeAccessOf({ store }: Config): PgAccess {
  return pgAccess('store', store.url, store);
}

export function sourceAccessOf({ source }: Config): PgAccess {
  return pgAccess('source', source.adminUrl, source);
}

/** Settings go before what the url says. */
function pgAccess(
  section: string,
  given: string,
  settings: TlsSettings & { readonly tlsMode: TlsMode | null },
): PgAccess {
  const { url, mode, caFile, certFile, keyFile } = splitPgUrl(given);
  const material = tlsMaterialOf(section, {
    tlsCaFile: settings.tlsCaFile ?? caFile,
    tlsCertFile: settings.tlsCertFile ?? certFile,
    tlsKeyFile: settings.tlsKeyFile ?? keyFile,
    tlsKeyPassphrase: settings.tlsKeyPassphrase,
  });
  return { url, tls: { mode: settings.tlsMode ?? mode ?? 'prefer', material } };
}
