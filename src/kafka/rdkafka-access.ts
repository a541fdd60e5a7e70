/**
 * How brokers are reached, in node-rdkafka's words. All that kafkajs is given has its counterpart but two: a name of ours
 * for every broker's certificate (`kafka.tlsServerName`), and a way to log in that is none of kafkajs's own or ours.
 */
import { getCACertificates } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

import type { KafkaConnection } from './client.ts';
import type { TokenSource } from './oauth.ts';
import type { RdkafkaSettings } from './rdkafka.ts';

export interface RdkafkaAccess {
  readonly why: null;
  readonly settings: RdkafkaSettings;
  /** To be asked before connecting and from then on: the client has no way to ask by itself. */
  readonly token: TokenSource | null;
  readonly connectMs: number;
}

/** Its least; below, it refuses its settings. */
const LEAST_SETUP_MS = 1_000;

/** `why`: what node-rdkafka cannot do of what these settings say. */
export function rdkafkaAccessOf(connection: KafkaConnection): RdkafkaAccess | { readonly why: string } {
  const { tls, sasl } = connection;
  const options = tls === true ? {} : tls;
  if (options !== null && options.servername !== undefined) {
    return {
      why: 'node-rdkafka checks a broker’s certificate by the name that it is reached by, kafka.tlsServerName gives another',
    };
  }
  const login = loginOf(sasl);
  if (login === null)
    return { why: 'node-rdkafka has no such way to log in as kafka.saslMechanism asks for' };
  const protocol = `${sasl === null ? '' : 'sasl_'}${options === null ? 'plaintext' : 'ssl'}`;
  return {
    why: null,
    settings: {
      'metadata.broker.list': connection.brokers.join(','),
      'client.id': connection.clientId,
      'socket.connection.setup.timeout.ms': Math.max(LEAST_SETUP_MS, connection.connectionTimeoutMs),
      'socket.timeout.ms': connection.requestTimeoutMs,
      'security.protocol': protocol,
      ...(options === null ? {} : tlsSettings(options)),
      ...login.settings,
    },
    token: login.token,
    connectMs: connection.connectionTimeoutMs,
  };
}

function tlsSettings({ ca, cert, key, passphrase }: ConnectionOptions): RdkafkaSettings {
  return {
    // Else it trusts whom OpenSSL's folders name, who are others than Node's.
    'ssl.ca.pem': ca === undefined ? getCACertificates().join('\n') : pem(ca),
    ...(cert === undefined ? {} : { 'ssl.certificate.pem': pem(cert) }),
    ...(key === undefined ? {} : { 'ssl.key.pem': pem(key) }),
    ...(passphrase === undefined ? {} : { 'ssl.key.password': passphrase }),
  };
}

/** Our settings make texts of them all. */
function pem(material: NonNullable<ConnectionOptions['ca' | 'cert' | 'key']>): string {
  return [material].flat().map(String).join('\n');
}

function loginOf(sasl: KafkaConnection['sasl']): Pick<RdkafkaAccess, 'settings' | 'token'> | null {
  if (sasl === null) return { settings: {}, token: null };
  if ('username' in sasl) {
    const settings = {
      'sasl.mechanism': sasl.mechanism.toUpperCase(),
      'sasl.username': sasl.username,
      'sasl.password': sasl.password,
    };
    return { settings, token: null };
  }
  if (!('token' in sasl)) return null;
  return { settings: { 'sasl.mechanism': 'OAUTHBEARER' }, token: sasl.token as TokenSource };
}
