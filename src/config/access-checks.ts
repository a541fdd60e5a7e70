/** TLS and logins whose settings are each right, but not together; and those that are right and unwise. */
import { splitPgUrl } from '../domain/pg-url.ts';
import type { Config } from './load.ts';

interface Tls {
  readonly tlsCaFile: string | null;
  readonly tlsCertFile: string | null;
  readonly tlsKeyFile: string | null;
}

/** One text for each. */
export function accessContradictions(config: Config): readonly string[] {
  const { kafka, store, source, registry, connect } = config;
  return [
    ...saslContradictions(kafka),
    ...(kafka.tls ? [] : unused('kafka', kafka, 'kafka.tls is false')),
    ...pairs('kafka', kafka),
    ...postgresContradictions('store', 'url', store.url, store),
    ...postgresContradictions('source', 'adminUrl', source.adminUrl, source),
    ...httpContradictions('registry', registry),
    ...httpContradictions('connect', connect),
  ];
}

/** What a listener on the way could take down; one text for each. */
export function accessWarnings({ kafka, registry, connect }: Config): readonly string[] {
  const http = Object.entries({ registry, connect }).flatMap(([section, { url, password, token }]) => {
    const isOpen = url.startsWith('http:') && !isHere(new URL(url).hostname);
    return isOpen && (password !== null || token !== null)
      ? [`${section}.url is no https: its password or token crosses the network for all to read`]
      : [];
  });
  const isOpen = !kafka.tls && ['plain', 'oauthbearer'].includes(kafka.saslMechanism);
  const sasl = `kafka.saslMechanism is ${kafka.saslMechanism} and kafka.tls is false: the password or token crosses the network for all to read`;
  return isOpen && !kafka.brokers.every((broker) => isHere(broker.replace(/:\d+$/, '')))
    ? [sasl, ...http]
    : http;
}

function isHere(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

const SASL_NEEDS = {
  none: [],
  plain: ['saslUsername', 'saslPassword'],
  'scram-sha-256': ['saslUsername', 'saslPassword'],
  'scram-sha-512': ['saslUsername', 'saslPassword'],
  oauthbearer: ['oauthTokenUrl', 'oauthClientId', 'oauthClientSecret'],
} as const satisfies Record<Config['kafka']['saslMechanism'], readonly (keyof Config['kafka'])[]>;

function saslContradictions(kafka: Config['kafka']): readonly string[] {
  const needs = SASL_NEEDS[kafka.saslMechanism];
  const missing = needs.filter((name) => kafka[name] === null).map((name) => `kafka.${name}`);
  if (missing.length > 0)
    return [`kafka.saslMechanism is ${kafka.saslMechanism}, but ${missing.join(' and ')} is missing`];
  if (kafka.saslMechanism === 'none' && (kafka.saslPassword ?? kafka.oauthClientSecret) !== null)
    return ['kafka.saslMechanism is none, but a password or client secret is set: name the mechanism'];
  return [];
}

function postgresContradictions(
  section: string,
  name: string,
  url: string,
  settings: Tls & { readonly tlsMode: string | null },
): readonly string[] {
  const said = splitPgUrl(url);
  const { tlsMode } = settings;
  if (tlsMode !== null && said.mode !== null && tlsMode !== said.mode)
    return [
      `${section}.tlsMode is ${tlsMode}, but ${section}.${name} says sslmode=${said.mode}: leave one out`,
    ];
  const mode = tlsMode ?? said.mode;
  if (mode === 'disable') return unused(section, settings, `${section}.tlsMode is disable`);
  const ca = settings.tlsCaFile ?? said.caFile;
  if (mode === 'verify-ca' && ca === null)
    return [`${section}.tlsMode is verify-ca without ${section}.tlsCaFile: any certificate of any public authority would do. Name the file, or take verify-full`]; // prettier-ignore
  const { tlsCertFile, tlsKeyFile } = settings;
  return pairs(section, {
    tlsCaFile: ca,
    tlsCertFile: tlsCertFile ?? said.certFile,
    tlsKeyFile: tlsKeyFile ?? said.keyFile,
  });
}

function httpContradictions(
  section: string,
  settings: Tls & { readonly url: string; readonly username: string | null; readonly password: string | null; readonly token: string | null }, // prettier-ignore
): readonly string[] {
  const { url, username, password, token } = settings;
  const login: string[] = [];
  if (token !== null && username !== null)
    login.push(`${section}.token and ${section}.username are both set: leave one out`);
  if ((username === null) !== (password === null))
    login.push(`${section}.username and ${section}.password belong together: one of them is missing`);
  const plain = url.startsWith('https:') ? [] : unused(section, settings, `${section}.url is no https`);
  return [...login, ...plain, ...pairs(section, settings)];
}

function unused(section: string, tls: Tls, because: string): readonly string[] {
  const set = (['tlsCaFile', 'tlsCertFile', 'tlsKeyFile'] as const).filter((name) => tls[name] !== null);
  if (set.length === 0) return [];
  return [
    `${because}, but ${set.map((name) => `${section}.${name}`).join(', ')} is set: there is no TLS to use it for`,
  ];
}

function pairs(section: string, { tlsCertFile, tlsKeyFile }: Tls): readonly string[] {
  if ((tlsCertFile === null) === (tlsKeyFile === null)) return [];
  const [has, lacks] = tlsKeyFile === null ? ['tlsCertFile', 'tlsKeyFile'] : ['tlsKeyFile', 'tlsCertFile'];
  return [`${section}.${has} is set without ${section}.${lacks}: a certificate and its key go together`];
}
