/** Authorities and certificates of a test's own, made by openssl in a folder that goes with the test. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

export interface Issued {
  readonly certFile: string;
  /** PKCS #8 in PEM. */
  readonly keyFile: string;
}

export interface Authority {
  readonly caFile: string;
  /** A certificate for the name; `alt` as of subjectAltName, with a passphrase on its key where one is given. */
  issue(name: string, alt?: string, passphrase?: string): Promise<Issued>;
}

/** Who meets at a server: those that its authority vouches for, and one that it does not know. */
export interface Parties {
  readonly authority: Authority;
  readonly otherCaFile: string;
  readonly client: Issued;
  /** Of the same name, its key under PASSPHRASE. */
  readonly locked: Issued;
  /** Of the same name, by the other authority. */
  readonly stranger: Issued;
}

export const PASSPHRASE = 'sesame';

export class Certificates implements AsyncDisposable {
  readonly folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Certificates> {
    return new Certificates(await mkdtemp(join(tmpdir(), 'anchorline-certificates-')));
  }

  async authority(name = 'test authority'): Promise<Authority> {
    const [key, caFile] = [this.#file('ca.key'), this.#file('ca.pem')];
    await this.#openssl(['req', '-x509', ...NEW_KEY, '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', caFile]); // prettier-ignore
    return {
      caFile,
      issue: async (subject, alt = 'DNS:localhost,IP:127.0.0.1', passphrase) => {
        const [keyFile, request, certFile, extensions] = ['key', 'csr', 'pem', 'ext'].map((suffix) => this.#file(suffix)) as [string, string, string, string]; // prettier-ignore
        const lock = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
        await this.#openssl(['req', ...NEW_KEY, ...lock, '-subj', `/CN=${subject}`, '-keyout', keyFile, '-out', request]); // prettier-ignore
        await writeFile(extensions, `subjectAltName=${alt}\n`);
        await this.#openssl(['x509', '-req', '-in', request, '-CA', caFile, '-CAkey', key, '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', certFile]); // prettier-ignore
        return { certFile, keyFile };
      },
    };
  }

  /** All that a test of a server which insists on certificates needs, for clients of this name. */
  async parties(clients: string): Promise<Parties> {
    const [authority, other] = await Promise.all([this.authority(), this.authority('another')]);
    return {
      authority,
      otherCaFile: other.caFile,
      client: await authority.issue(clients),
      locked: await authority.issue(clients, 'DNS:client', PASSPHRASE),
      stranger: await other.issue(clients),
    };
  }

  /** Key, certificate and authority in one file, as Java's PEM key stores want it. */
  async keyStore({ certFile, keyFile }: Issued): Promise<string> {
    const file = this.#file('store.pem');
    await writeFile(file, (await readFile(keyFile, 'utf8')) + (await readFile(certFile, 'utf8')));
    return file;
  }

  /** The key as Java's Postgres driver wants it: PKCS #8 in DER. */
  async derKey({ keyFile }: Issued): Promise<string> {
    const file = this.#file('key.der');
    await this.#openssl(['pkcs8', '-topk8', '-nocrypt', '-in', keyFile, '-outform', 'DER', '-out', file]);
    return file;
  }

  /** The authority in a store of Java's; its password is `changeit`. */
  async trustStore(keytool: string, { caFile }: Authority): Promise<string> {
    const file = this.#file('jks');
    await run(keytool, ['-importcert', '-noprompt', '-alias', 'ca', '-file', caFile, '-keystore', file, '-storetype', 'JKS', '-storepass', 'changeit']); // prettier-ignore
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  #file(suffix: string): string {
    this.#count += 1;
    return join(this.folder, `${this.#count}.${suffix}`);
  }

  async #openssl(args: readonly string[]): Promise<void> {
    await run('openssl', [...args]);
  }
}
