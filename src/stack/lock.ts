/** One command at a time per stack: a file naming its holder; a holder that is gone holds nothing. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StackConfig } from './config.ts';
import { STACK_ERRORS, StackError } from './errors.ts';
import { processStart } from './processes.ts';

/** Runs the work alone on this stack; throws STK005 while another command is at it. */
export async function withStackLock<T>(config: StackConfig, work: () => Promise<T>): Promise<T> {
  const folder = join(config.dataDir, 'run');
  const file = join(folder, 'lock');
  await mkdir(folder, { recursive: true });
  const me = `${process.pid} ${(await processStart(process.pid)) ?? ''}`;
  if (!(await take(file, me))) {
    const holder = await readFile(file, 'utf8').catch(() => '');
    if (await isAlive(holder)) {
      throw new StackError(
        STACK_ERRORS.busy,
        `another command (pid ${holder.split(' ')[0]}) is working on the stack in ${config.dataDir}: wait for it`,
      );
    }
    await rm(file, { force: true });
    if (!(await take(file, me))) {
      throw new StackError(
        STACK_ERRORS.busy,
        `another command has just begun on the stack in ${config.dataDir}`,
      );
    }
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string, me: string): Promise<boolean> {
  const handle = await open(file, 'wx').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return null;
    throw error;
  });
  if (handle === null) return false;
  await handle.writeFile(me);
  await handle.close();
  return true;
}

async function isAlive(holder: string): Promise<boolean> {
  const [pid, start] = holder.split(' ', 2);
  return start !== undefined && start !== '' && (await processStart(Number(pid))) === start;
}
