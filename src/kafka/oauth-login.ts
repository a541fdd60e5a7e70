/**
 * OAUTHBEARER (RFC 7628), in place of kafkajs's own, which takes a refused token for a good one: the server refuses in an
 * answer that has to be read, and says its reason after the client has acknowledged it.
 */
import kafkajs from 'kafkajs';
import type { Mechanism } from 'kafkajs';

import { messageOf } from './errors.ts';
import type { TokenSource } from './oauth.ts';

/** Its types know no argument. */
const LoginRefused = kafkajs.KafkaJSSASLAuthenticationError as new (message: string) => Error;

const SEPARATOR = '\u0001';
const LENGTH_BYTES = 4;

/** kafkajs logs in by it; `token` is for a client that takes tokens alone. */
export function oauthMechanism(token: TokenSource): Mechanism & { readonly token: TokenSource } {
  return {
    mechanism: 'oauthbearer',
    token,
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const { value } = await token();
        const say = async (text: string): Promise<string> => {
          const response = { decode: (raw: Buffer) => raw, parse: (raw: Buffer) => withoutLength(raw) };
          return (await saslAuthenticate({ request: { encode: () => withLength(text) }, response })) ?? '';
        };
        let refusal: string;
        try {
          refusal = await say(`n,,${SEPARATOR}auth=Bearer ${value}${SEPARATOR}${SEPARATOR}`);
          if (refusal === '') return;
          refusal = await say(SEPARATOR).then(
            () => refusal,
            (error: unknown) => `${refusal} ${messageOf(error)}`,
          );
        } catch (error) {
          refusal = messageOf(error);
        }
        throw new LoginRefused(`SASL OAUTHBEARER authentication failed: ${refusal}`);
      },
    }),
  };
}

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function withoutLength(raw: Buffer): string {
  return raw.subarray(LENGTH_BYTES).toString('utf8');
}
