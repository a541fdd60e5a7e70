import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConfigurationError } from '../../src/domain/errors.ts';
import { readTls, tlsFailure } from '../../src/net/tls.ts';
import type { TlsFiles } from '../../src/net/tls.ts';
import { Certificates } from '../support/certificates.ts';
import type { Issued } from '../support/certificates.ts';

const NONE: TlsFiles = { caFile: null, certFile: null, keyFile: null, keyPassphrase: null };
const read = (files: Partial<TlsFiles>) =>
  readTls('kafka.tls', { ...NONE, ...files }, (path) => readFileSync(path, 'utf8'));

let made: Certificates;
let caFile: string;
let open: Issued;
let locked: Issued;
let notPem: string;

beforeAll(async () => {
  made = await Certificates.open();
  const authority = await made.authority();
  ({ caFile } = authority);
  open = await authority.issue('client');
  locked = await authority.issue('client', 'DNS:client', 'open sesame');
  notPem = join(made.folder, 'not.pem');
  await writeFile(notPem, 'hello');
});
afterAll(() => made[Symbol.asyncDispose]());

describe('readTls', () => {
  it('reads what is named and nothing else', () => {
    expect(read({})).toEqual({});
    expect(read({ caFile })).toEqual({ ca: readFileSync(caFile, 'utf8') });
    expect(Object.keys(read({ caFile, ...open }))).toEqual(['ca', 'cert', 'key']);
    expect(read({ ...locked, keyPassphrase: 'open sesame' }).passphrase).toBe('open sesame');
  });

  it.each([
    ['a file that is not there', () => ({ caFile: '/nowhere/ca.pem' }), 'kafka.tlsCaFile (/nowhere/ca.pem)'],
    ['an authority that is no certificate', () => ({ caFile: notPem }), 'kafka.tlsCaFile'],
    ['a certificate that is none', () => ({ ...open, certFile: notPem }), 'kafka.tlsCertFile'],
    ['a key that is none', () => ({ ...open, keyFile: notPem }), 'kafka.tlsKeyFile'],
    ['a key of another certificate', () => ({ ...open, keyFile: locked.keyFile, keyPassphrase: 'open sesame' }), 'kafka.tlsKeyFile'], // prettier-ignore
    ['another passphrase', () => ({ ...locked, keyPassphrase: 'shut' }), 'kafka.tlsKeyFile'],
    ['a locked key without its passphrase', () => locked, 'kafka.tlsKeyFile'],
  ])('refuses %s and names the setting', (_what, files, named) => {
    const reading = () => read(files());
    expect(reading).toThrow(ConfigurationError);
    expect(reading).toThrow(named);
    expect(reading).not.toThrow('open sesame');
  });
});

describe('tlsFailure', () => {
  const failure = (code: string) =>
    new Error('connecting', { cause: Object.assign(new Error('handshake'), { code }) });

  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is of an authority that is not trusted (SELF_SIGNED_CERT_IN_CHAIN)'], // prettier-ignore
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['CERT_HAS_EXPIRED', 'its certificate has expired (CERT_HAS_EXPIRED)'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS there (ERR_SSL_WRONG_VERSION_NUMBER)'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'it does not take our certificate, or wants one (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)'], // prettier-ignore
    ['ERR_SSL_NO_PROTOCOLS_AVAILABLE', 'handshake (ERR_SSL_NO_PROTOCOLS_AVAILABLE)'],
  ])('says what %s means, wherever in the causes it is', (code, said) => {
    expect(tlsFailure(failure(code))).toBe(said);
  });

  it('says nothing of other failures', () => {
    for (const other of [failure('ECONNREFUSED'), new Error('x'), 'ERR_TLS_X', null]) {
      expect(tlsFailure(other)).toBeNull();
    }
  });
});
