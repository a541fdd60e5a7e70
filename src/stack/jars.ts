/** The stack's jars: what ops/stack/*.pom name, fetched once by Maven and kept per content of those files. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Progress, StackConfig } from './config.ts';
import { STACK_ERRORS, StackError } from './errors.ts';

const run = promisify(execFile);

const MODULES = ['kafka', 'connect', 'registry'] as const;
const POMS = ['pom.xml', ...MODULES.map((module) => join(module, 'pom.xml'))];

export interface StackJars {
  readonly folder: string;
  readonly kafka: string;
  readonly connect: string;
  readonly registry: string;
}

/** Fetches what is missing and says where the jars are. Throws STK001 without Maven, STK002 when it fails. */
export async function ensureJars(config: StackConfig, progress: Progress): Promise<StackJars> {
  const poms = join(config.projectDir, 'ops', 'stack');
  const folder = join(config.jarsDir, await pomsHash(poms));
  const jars: StackJars = {
    folder,
    kafka: join(folder, 'kafka'),
    connect: join(folder, 'connect'),
    registry: join(folder, 'registry'),
  };
  if (await exists(folder)) return jars;
  progress('fetching broker, Connect and registry with Maven (about 280 MB, once)');
  const started = Date.now();
  // Built aside and renamed into place: a half-fetched folder is never taken for a whole one.
  const building = `${folder}.${process.pid}`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true });
  try {
    await maven(poms, building);
    await rm(join(building, '.build'), { recursive: true, force: true });
    await rename(building, folder).catch(async (error: unknown) => {
      // Another process was quicker: its folder is as good.
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  progress(`jars fetched in ${Math.round((Date.now() - started) / 1000)} s`);
  return jars;
}

async function pomsHash(poms: string): Promise<string> {
  const hash = createHash('sha256');
  for (const pom of POMS) hash.update(await readFile(join(poms, pom)));
  return hash.digest('hex').slice(0, 12);
}

async function maven(poms: string, target: string): Promise<void> {
  try {
    await run('mvn', ['-q', '-B', '-f', join(poms, 'pom.xml'), 'package', `-Dstack.jars=${target}`], {
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    if (isMissing(error)) {
      throw new StackError(
        STACK_ERRORS.missingTool,
        'The local stack needs Maven to fetch its jars: install `mvn` (Maven 3.8 or newer) and try again.',
      );
    }
    const output = outputOf(error);
    const telling = output.split('\n').filter((line) => line.includes('ERROR'));
    throw new StackError(
      STACK_ERRORS.jars,
      `Maven could not fetch the stack's jars: ${telling[0] ?? output.trim().slice(0, 500)}`,
      error,
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function outputOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'stdout' in error && String(error.stdout) !== '' ? String(error.stdout) : error.message;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
