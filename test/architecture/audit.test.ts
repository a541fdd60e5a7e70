/** The audit of the packages, with each thing that it must find planted. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const AUDIT = resolve('scripts', 'audit.mjs');
const HASH = `sha512-${'A'.repeat(86)}==`;
const SOUND = { version: '1.0.0', integrity: HASH, license: 'MIT' };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-audit-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Audited {
  readonly status: number;
  readonly output: string;
}

/** What the audit says of a project that has one package. */
async function audit(entry: object, manifest: object = {}, registry: string | null = null): Promise<Audited> {
  const root = { name: 'planted', version: '1.0.0', dependencies: { thing: '1.0.0' } };
  const packages = { '': root, 'node_modules/thing': entry };
  const lock = { ...root, lockfileVersion: 3, requires: true, packages };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...root, ...manifest }));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  const npm = { registry: registry ?? '', fetch_retries: '0', cache: await mkdtemp(join(folder, 'cache-')) };
  const settings = Object.entries(npm).map(([name, value]) => [`npm_config_${name}`, value]);
  const env = { ...process.env, ...Object.fromEntries(settings) };
  const args = [AUDIT, ...(registry === null ? ['--offline'] : []), folder];
  return new Promise((done) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

describe('the rules of the lock file', () => {
  it('pass what is sound', async () => {
    expect(await audit(SOUND)).toEqual({ status: 0, output: '1 packages looked at, 0 problems\n' });
  });

  it.each([
    ['no integrity', { ...SOUND, integrity: undefined }, 'has no sha512 integrity'],
    ['a weak integrity', { ...SOUND, integrity: 'sha1-AAAA' }, 'has no sha512 integrity'],
    [
      'an address',
      { ...SOUND, resolved: 'https://example.test/thing.tgz' },
      'https://example.test/thing.tgz',
    ],
    ['a licence that nobody allowed', { ...SOUND, license: 'AGPL-3.0' }, 'licensed AGPL-3.0'],
    ['a licence that is for tools only', { ...SOUND, license: 'MPL-2.0' }, 'licensed MPL-2.0'],
    ['both licences at once', { ...SOUND, license: '(MIT AND GPL-2.0)' }, 'licensed (MIT AND GPL-2.0)'],
    ['no licence', { ...SOUND, license: undefined }, 'does not say'],
    ['an install script', { ...SOUND, hasInstallScript: true }, 'runs a script at install'],
  ])('refuse a package with %s', async (_what, entry, said) => {
    const { status, output } = await audit(entry);
    expect(output).toContain('node_modules/thing');
    expect(output).toContain(said);
    expect(output).toContain('1 packages looked at, 1 problems');
    expect(status).toBe(1);
  });

  it.each([
    ['a tool', { ...SOUND, license: 'MPL-2.0', dev: true }, {}],
    ['the choice of a licence', { ...SOUND, license: '(GPL-3.0 OR MIT)' }, {}],
    ['a script that is allowed', { ...SOUND, hasInstallScript: true }, { allowScripts: { thing: true } }],
    ['a script that is forbidden', { ...SOUND, hasInstallScript: true }, { allowScripts: { thing: false } }],
  ])('let %s be', async (_what, entry, manifest) => {
    expect(await audit(entry, manifest)).toMatchObject({ status: 0 });
  });

  it('refuse a decision about a script that is not there', async () => {
    const { status, output } = await audit(SOUND, { allowScripts: { other: true } });
    expect(output).toContain('allowScripts names other');
    expect(status).toBe(1);
  });

  it('hold for every lock file of this project', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [AUDIT, '--offline']);
    const counts = ['.', join('ops', 'rdkafka')].map(async (where) => {
      const lock = JSON.parse(await readFile(join(where, 'package-lock.json'), 'utf8')) as {
        packages: object;
      };
      return Object.keys(lock.packages).length - 1;
    });
    const sum = (await Promise.all(counts)).reduce((a, b) => a + b);
    expect(stdout).toBe(`${sum} packages looked at, 0 problems\n`);
  });

  it('refuse a lock file that names nothing', async () => {
    const { lockProblems } = (await import(AUDIT)) as { lockProblems: (a: object, b: object) => string[] };
    expect(lockProblems({}, { packages: { '': {} } })).toEqual([expect.stringContaining('audits nothing')]);
  });
});

/** A registry that knows something of the package, or answers nothing of the kind. */
async function withRegistry<T>(severity: string | null, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const isAudit = request.method === 'POST' && request.url?.endsWith('/advisories/bulk') === true;
    request.resume();
    if (isAudit && severity === null) return void response.writeHead(405).end();
    if (request.method === 'POST' && !isAudit) return void response.writeHead(405).end();
    response.setHeader('content-type', 'application/json');
    const known = {
      id: 7,
      url: 'https://example.test/7',
      title: 'Lets in',
      severity,
      vulnerable_versions: '<2.0.0',
    };
    const thing = { name: 'thing', 'dist-tags': { latest: '2.0.0' }, versions: { '1.0.0': {}, '2.0.0': {} } };
    const body = isAudit ? { thing: severity === 'none' ? [] : [known] } : thing;
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('what the registry knows', () => {
  it.each([
    ['high', 1, 'is high: Lets in, https://example.test/7'],
    ['critical', 1, 'audited: 1 high or critical, 0 lesser'],
    ['moderate', 0, 'audited: 0 high or critical, 1 lesser'],
    ['none', 0, 'audited: 0 high or critical, 0 lesser'],
  ])('counts where it is %s', async (severity, status, said) => {
    const audited = await withRegistry(severity, (url) => audit(SOUND, {}, url));
    expect(audited.output).toContain(said);
    expect(audited.status).toBe(status);
  });

  it('is called unknown, and not audited, where it answers nothing', async () => {
    const { status, output } = await withRegistry(null, (url) => audit(SOUND, {}, url));
    expect(status).toBe(3);
    expect(output).toMatch(/^not audited: .*405/m);
    expect(output).not.toMatch(/^audited/m);
  });
});
