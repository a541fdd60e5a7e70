import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..', '..');

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A project of just these files, with our compiler settings and packages. */
async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'anchorline-imports-'));
  folders.push(folder);
  await mkdir(join(folder, 'src'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['tsconfig.json', '.oxlintrc.json']) await cp(join(ROOT, name), join(folder, name));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

interface Checked {
  readonly status: number | null;
  readonly output: string;
}

function run(cwd: string, command: string, args: readonly string[]): Checked {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const checkImports = (cwd: string): Checked =>
  run(cwd, process.execPath, [
    join(ROOT, 'scripts/check-imports.mjs'),
    '--config',
    join(ROOT, '.dependency-cruiser.mjs'),
  ]);

const lint = (cwd: string): Checked =>
  run(cwd, join(ROOT, 'node_modules/.bin/oxlint'), ['--type-aware', '--format=unix']);

const VALUE = 'export const value = 1;\n';
const importing = (path: string): string =>
  `import { value } from '${path}';\nexport const twice = value * 2;\n`;

/** Folder → what it must not import. */
const REFUSED = [
  ['src/domain', 'runtime/y.ts'],
  ['src/runtime', 'kafka/y.ts'],
  ['src/engine', 'runtime/y.ts'],
  ['src/engine', 'window/y.ts'],
  ['src/kafka', 'store/y.ts'],
  ['src/store', 'engine/y.ts'],
  ['src/ingest', 'store/y.ts'],
  ['src/publish', 'kafka/y.ts'],
  ['src/recompute', 'compose/y.ts'],
  ['src/http', 'config/y.ts'],
  ['src/doctor', 'compose/y.ts'],
  ['src/doctor/judge', 'doctor/probe/y.ts'],
  ['src/doctor/judge', 'store/y.ts'],
  // Folders that no rule names yet.
  ['src/api', 'store/y.ts'],
  ['src/api', 'domain/y.ts'],
] as const;

describe('the direction of imports', () => {
  it('is held by this project', () => {
    const { status, output } = checkImports(ROOT);
    expect(output).toMatch(/^\d{2,} modules cruised, 0 violations$/m);
    expect(status).toBe(0);
  });

  it('allows what it names', async () => {
    const cwd = await project({
      'src/domain/a.ts': VALUE,
      'src/runtime/b.ts': importing('../domain/a.ts'),
      'src/engine/c.ts': importing('../domain/a.ts'),
      'src/recompute/d.ts': importing('../engine/c.ts').replace('value', 'twice as value'),
      'src/compose/e.ts': importing('../recompute/d.ts').replace('value', 'twice as value'),
      'src/cli/f.ts': importing('../compose/e.ts').replace('value', 'twice as value'),
      'src/main.ts': importing('./cli/f.ts').replace('value', 'twice as value'),
    });
    expect(checkImports(cwd)).toEqual({ status: 0, output: '7 modules cruised, 0 violations\n' });
  });

  it('refuses everything else, each by name', async () => {
    const planted = await project({
      ...Object.fromEntries(
        REFUSED.map(([from, to], index) => [
          `${from}/x${index}.ts`,
          importing(`${'../'.repeat(from.split('/').length - 1)}${to}`),
        ]),
      ),
      ...Object.fromEntries(REFUSED.map(([, to]) => [`src/${to}`, VALUE])),
      'src/domain/types.ts': "import type { Y } from '../store/type.ts';\nexport type X = Y;\n",
      'src/store/type.ts': 'export type Y = string;\n',
      'src/engine/later.ts': "export const later = import('../store/y.ts');\n",
      'src/engine/io.ts': "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
      'src/ingest/io.ts': "import pg from 'pg';\nexport const client = pg.Client;\n",
      'src/main.ts': importing('./store/y.ts'),
      'src/stray.ts': importing('./store/y.ts'),
      'src/publish/io.ts': "import { Kafka } from 'kafkajs';\nexport const kafka = Kafka;\n",
    });
    const { status, output } = checkImports(planted);
    for (const [index, [from, to]] of REFUSED.entries()) {
      expect(output).toContain(`${from}/x${index}.ts: may not import src/${to} `);
    }
    expect(output).toContain('src/domain/types.ts: may not import src/store/type.ts ');
    expect(output).toContain('src/engine/later.ts: may not import src/store/y.ts ');
    expect(output).toContain('src/main.ts: may not import src/store/y.ts ');
    expect(output).toContain('src/stray.ts: may not import src/store/y.ts ');
    for (const folder of ['engine', 'ingest', 'publish']) {
      expect(output).toContain(`src/${folder}/io.ts: may not import `);
    }
    expect(status).toBe(1);
  });

  it('refuses a cycle', async () => {
    const cwd = await project({
      'src/engine/x.ts': "import { y } from './y.ts';\nexport const x = (): number => y();\n",
      'src/engine/y.ts': "import { x } from './x.ts';\nexport const y = (): number => x();\n",
    });
    expect(checkImports(cwd).output).toContain('no-cycles');
  });

  it('fails where it sees no module', async () => {
    const { status, output } = checkImports(await project({ 'test/x.ts': VALUE }));
    expect(output).toContain('the check checks nothing');
    expect(status).toBe(1);
  });
});

describe('the linter', () => {
  it('holds that pure folders take time, chance and I/O as input, and that no promise is lost', async () => {
    const impure = [
      "import { readFileSync } from 'node:fs';",
      'export const now = (): number => Date.now();',
      'export const chance = (): number => Math.random();',
      'export async function later(): Promise<number> {',
      '  return Promise.resolve(1);',
      '}',
      'export const environment = process.env;',
      'export const read = readFileSync;',
    ];
    const files = ['cdc', 'source', 'window', 'engine', 'doctor/judge'].map((folder) => `src/${folder}/x.ts`);
    const lost = 'async function f(): Promise<void> {}\nexport default function g(): void {\n  f();\n}\n';
    const { status, output } = lint(
      await project({
        ...Object.fromEntries(files.map((file) => [file, `${impure.join('\n')}\n`])),
        'src/store/x.ts': lost,
      }),
    );
    for (const file of files) {
      for (const line of [1, 2, 3, 4, 7]) expect(output).toContain(`${file}:${line}:`);
    }
    expect(output).toMatch(/src\/store\/x\.ts:3:.*no-floating-promises/);
    expect(output).toMatch(/src\/store\/x\.ts:2:.*no-default-export/);
    expect(status).toBe(1);
  });
});
