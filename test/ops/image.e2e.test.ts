/** What the image holds is enough to run: its steps, without an engine. */
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROJECT_DIR } from '../support/stack-provider.ts';

let folder = '';

/** As a shell would have it: how npm reaches its registry may be in there, our settings must not be. */
const ENV = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('ANCHORLINE_')),
);
const program = () => join(folder, 'bin', 'anchorline');

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...ENV, ...env } });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-image-'));
  const ignore = await readFile(join(PROJECT_DIR, '.dockerignore'), 'utf8');
  const paths = [...ignore.matchAll(/^!(\S+)$/gm)].map(([, path = '']) => path);
  for (const path of paths) await cp(join(PROJECT_DIR, path), join(folder, path), { recursive: true });
  const dockerfile = await readFile(join(PROJECT_DIR, 'Dockerfile'), 'utf8');
  const step = /^RUN (npm ci[^\n]*(?: \\\n[^\n]*)*)$/m.exec(dockerfile)?.[1];
  const installed = run('sh', ['-ec', step ?? 'exit 9']);
  if (installed.status !== 0) throw new Error(`the image's step failed: ${installed.stderr}`);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('every command is there', () => {
  const { status, stdout } = run(program(), ['--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('Usage: anchorline');
});

test('nothing is imported at run time that only development installs', () => {
  const script = `
    for (const module of ['compose/run', 'compose/store', 'connect/source', 'connect/definition', 'connect/topics'])
      await import('./src/' + module + '.ts');`;
  const { status, stderr } = run('node', ['--input-type=module', '-e', script]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('a process without its database says so and does not hang', () => {
  const env = { ANCHORLINE_STORE_URL: 'postgres://nobody:x@127.0.0.1:9/none' };
  const { status, stderr } = run(program(), ['status'], env);
  expect(status).toBe(1);
  expect(stderr).toContain('STO001');
});
