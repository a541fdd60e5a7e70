/** Finds a Java that runs every part of the stack. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { STACK_ERRORS, StackError } from './errors.ts';

const run = promisify(execFile);

/** The registry's class files ask for it; broker and Connect would do with 17. */
export const MIN_JAVA = 21;

const JVM_FOLDERS = ['/usr/lib/jvm', '/usr/java', '/opt/java', '/Library/Java/JavaVirtualMachines'];

export interface Java {
  readonly command: string;
  readonly version: number;
}

/** The first Java ≥ 21 of: `javaHome`, the PATH's, installed ones (newest first). Throws STK001 when there is none. */
export async function findJava(
  javaHome: string | null,
  folders: readonly string[] = JVM_FOLDERS,
): Promise<Java> {
  const tried: string[] = [];
  for (const command of await candidates(javaHome, folders)) {
    const version = await javaVersion(command);
    if (version !== null && version >= MIN_JAVA) return { command, version };
    if (version !== null) tried.push(`${command} is ${version}`);
  }
  const found = tried.length === 0 ? 'none was found' : tried.join(', ');
  throw new StackError(
    STACK_ERRORS.missingTool,
    `The local stack needs Java ${MIN_JAVA} or newer (${found}): install a JDK, or set JAVA_HOME to one.`,
  );
}

async function candidates(javaHome: string | null, folders: readonly string[]): Promise<readonly string[]> {
  const commands = javaHome === null ? [] : [join(javaHome, 'bin', 'java')];
  commands.push('java');
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    // Highest number in the name first; names differ too much between distributions for more.
    const byVersion = names.toSorted((a, b) => numberIn(b) - numberIn(a));
    const home = folder.startsWith('/Library')
      ? join('Contents', 'Home', 'bin', 'java')
      : join('bin', 'java');
    commands.push(...byVersion.map((name) => join(folder, name, home)));
  }
  return commands;
}

function numberIn(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

/** The major version that `java -version` tells, null when it cannot be run. */
async function javaVersion(command: string): Promise<number | null> {
  try {
    const { stderr, stdout } = await run(command, ['-version']);
    const version = /version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1];
    return version === undefined ? null : Number(version);
  } catch {
    return null;
  }
}
