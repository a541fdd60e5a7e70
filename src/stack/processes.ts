/**
 * Detached processes and the files that remember them.
 *
 * A pid alone is no identity: it may be another's by the time it is looked at. The file holds the process's
 * start as the system tells it, and a process whose start differs is a stranger: never counted, never killed.
 */
import { execFile, spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The user to run as, where it is not one's own. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface ProcessRecord {
  readonly pid: number;
  /** Opaque: boot and start tick on Linux, start time elsewhere. */
  readonly start: string;
  readonly startedMs: number;
}

/** Starts a process that outlives this one; output is appended to the log file. */
export async function startDetached(
  spec: ProcessSpec,
  logFile: string,
  pidFile: string,
): Promise<ProcessRecord> {
  const log = await open(logFile, 'a');
  try {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...spec.owner,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid as number;
    const record = { pid, start: (await processStart(pid)) ?? 'ended', startedMs: Date.now() };
    await writeFile(pidFile, JSON.stringify(record));
    return record;
  } finally {
    await log.close();
  }
}

/** The process that the file remembers, if it is still that very process. */
export async function readProcess(pidFile: string): Promise<ProcessRecord | null> {
  const text = await readFile(pidFile, 'utf8').catch(() => null);
  if (text === null) return null;
  const record = parseRecord(text);
  return record !== null && (await isSame(record)) ? record : null;
}

/** SIGTERM, and SIGKILL where the deadline passes; resolves with how it ended. What goes on keeps its pid file. */
export async function stopProcess(
  record: ProcessRecord,
  pidFile: string,
  timeoutMs: number,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<'ended' | 'killed'> {
  send(record.pid, signal);
  let how: 'ended' | 'killed' = 'ended';
  let ended = await hasEnded(record, timeoutMs);
  if (!ended) {
    how = 'killed';
    send(record.pid, 'SIGKILL');
    ended = await hasEnded(record, timeoutMs);
  }
  if (ended) await rm(pidFile, { force: true });
  return how;
}

export async function isSame(record: ProcessRecord): Promise<boolean> {
  return (await processStart(record.pid)) === record.start;
}

async function hasEnded(record: ProcessRecord, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (await isSame(record)) {
    if (Date.now() >= deadline) return false;
    await sleep(50);
  }
  return true;
}

/** When a process started, in the system's own words; null when there is none, or only its zombie. */
export async function processStart(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    const tick = stat === null ? null : startTick(stat);
    if (tick === null) return null;
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    return `${boot.trim()}:${tick}`;
  }
  const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim() === '' ? null : stdout.trim();
}

/**
 * What /proc/<pid>/stat tells of the start; null for what is left of a process that ended. The first thread may be a
 * zombie while others still hold ports and files: such a process has not ended.
 */
export function startTick(stat: string): string | null {
  // The command in parentheses may hold anything: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, start] = [fields[0], fields[17], fields[19]];
  const dead = (state === 'Z' || state === 'X') && Number(threads) <= 1;
  return dead ? null : (start ?? null);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Ended between the look and the signal: what was wanted. Not ours to end: whoever waits for its end will see.
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

function parseRecord(text: string): ProcessRecord | null {
  try {
    const record = JSON.parse(text) as Partial<ProcessRecord>;
    return typeof record.pid === 'number' && typeof record.start === 'string' && record.start !== ''
      ? { pid: record.pid, start: record.start, startedMs: record.startedMs ?? 0 }
      : null;
  } catch {
    return null;
  }
}
