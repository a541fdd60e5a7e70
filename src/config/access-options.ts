/** Settings by which one proves who one is, and sees who answers: TLS and logins, alike for every part. */
import { TLS_MODES } from '../domain/pg-url.ts';
import { choice, choiceOrNone, flag, textOrNone, urlOrNone } from './option.ts';

/** Certificates and keys; `what` answers, as in "the brokers". */
export function tlsOptions(what: string) {
  return {
    tlsCaFile: textOrNone({
      default: null,
      prose: `Authorities that may vouch for ${what}, PEM; none: the public ones that Node knows.`,
    }),
    tlsCertFile: textOrNone({
      default: null,
      prose: `Our own certificate with its chain, PEM, to show to ${what}; none: we show none.`,
    }),
    tlsKeyFile: textOrNone({ default: null, prose: 'Its private key, PEM.' }),
    tlsKeyPassphrase: textOrNone({ default: null, prose: 'That key’s passphrase.', secret: true }),
  };
}

/** TLS to a Postgres whose url may say it too. */
export function postgresTlsOptions(what: string) {
  return {
    tlsMode: choiceOrNone(TLS_MODES, {
      default: null,
      prose: `How much TLS to ${what}, by libpq’s words; none: as the url’s \`sslmode\` says, else \`prefer\`. Only \`verify-full\` knows who answers.`,
    }),
    ...tlsOptions(what),
  };
}

export function loginOptions(what: string) {
  return {
    username: textOrNone({ default: null, prose: `User at ${what} (basic authentication).` }),
    password: textOrNone({ default: null, prose: 'That user’s password.', secret: true }),
    token: textOrNone({
      default: null,
      prose: `Bearer token for ${what}, instead of user and password.`,
      secret: true,
    }),
  };
}

export const KAFKA_ACCESS_OPTIONS = {
  tls: flag({ default: false, prose: 'Speak TLS to the brokers.' }),
  ...tlsOptions('the brokers'),
  tlsServerName: textOrNone({
    default: null,
    prose: 'Name that every broker’s certificate must bear; none: the name by which it is reached.',
  }),
  saslMechanism: choice(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'], {
    default: 'none',
    prose: 'How to log in at the brokers.',
  }),
  saslUsername: textOrNone({ default: null, prose: 'User to log in as (`plain`, `scram-…`).' }),
  saslPassword: textOrNone({ default: null, prose: 'That user’s password.', secret: true }),
  oauthTokenUrl: urlOrNone(['http', 'https'], {
    default: null,
    prose: 'Where `oauthbearer` gets its tokens from, by client credentials.',
  }),
  oauthClientId: textOrNone({ default: null, prose: 'Client to ask for a token as.' }),
  oauthClientSecret: textOrNone({ default: null, prose: 'That client’s secret.', secret: true }),
  oauthClientAuth: choice(['basic', 'post'], {
    default: 'basic',
    prose: 'How id and secret are sent: in the header or in the form.',
  }),
  oauthScope: textOrNone({ default: null, prose: 'Scopes to ask for, with blanks between.' }),
  oauthAudience: textOrNone({ default: null, prose: 'Audience to ask for, where the endpoint wants one.' }),
  oauthTlsCaFile: textOrNone({
    default: null,
    prose: 'Authorities that may vouch for the token endpoint, PEM; none: the public ones that Node knows.',
  }),
} as const;
