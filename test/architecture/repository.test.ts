import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

/** Files that git keeps or is about to, as they are in the working tree. */
const FILES = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && existsSync(path));

const read = (path: string): string => readFileSync(path, 'utf8');
const isSource = (path: string): boolean => path.startsWith('src/') && path.endsWith('.ts');

/** Put together here, so that this file does not name them either. */
const REGISTRY_HOSTS = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['npm', 'pkg', 'github', 'com'],
  ['repo', 'maven', 'apache', 'org'],
  ['repo1', 'maven', 'org'],
  ['proxy', 'golang', 'org'],
].map((parts) => parts.join('.'));

describe('the repository', () => {
  it('has files to look at', () => {
    expect(FILES.filter(isSource).length).toBeGreaterThan(20);
  });

  it('names no host of a package registry: each machine has its own', () => {
    const naming = FILES.filter((path) => {
      const text = read(path);
      return REGISTRY_HOSTS.some((host) => text.includes(host));
    });
    expect(naming).toEqual([]);
  });

  it('has a lock file that says nothing of where packages came from', () => {
    const lock = JSON.parse(read('package-lock.json')) as {
      readonly packages: Readonly<
        Record<string, { readonly resolved?: string; readonly integrity?: string }>
      >;
    };
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  it('reads the environment in src/config alone', () => {
    const reading = FILES.filter((path) => isSource(path) && /\bprocess\s*\.\s*env\b/.test(read(path)));
    expect(reading.filter((path) => !path.startsWith('src/config/'))).toEqual([]);
    expect(reading).toEqual(['src/config/environment.ts']);
  });

  it('reaches registry and Connect with TLS and login as they are set, not by the url alone', () => {
    const bare = /config\.(connect|registry)\.url\b|\{[^{}]*\burl\b[^{}]*\} = config\.(connect|registry)\b/;
    const elsewhere = FILES.filter((path) => isSource(path) && !path.startsWith('src/config/'));
    expect(elsewhere.filter((path) => bare.test(read(path)))).toEqual([]);
    expect(read('src/wiring-access.ts')).toContain('url: connect.url');
  });

  it('documents every error code, and no other', () => {
    const used = FILES.filter(isSource).flatMap(
      (path) => read(path).match(/(?<=['`])[A-Z]{3}\d{3}(?=['`]| \$)/g) ?? [],
    );
    const documented = read('docs/errors.md').match(/(?<=^\| )[A-Z]{3}\d{3}(?= \|)/gm) ?? [];
    expect(documented.toSorted()).toEqual([...new Set(used)].toSorted());
  });
});
