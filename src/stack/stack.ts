/**
 * The local stack as processes of the user: up, down, status, reset.
 *
 * Invariants:
 * 1. Only a process that this stack started, and that is still that very process, is counted or ended.
 * 2. `up` starts what is missing and leaves alone what runs; on failure it says why and leaves the rest for `down`.
 * 3. Connect ends before the registry, Kafka and Postgres: nobody is left writing to what is gone.
 */
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPONENT_KINDS, type Toolbox } from './components.ts';
import { COMPONENTS, PORT_SETTINGS, stackEndpoints } from './config.ts';
import type { Component, Progress, StackConfig, StackEndpoints } from './config.ts';
import { STACK_ERRORS, StackError } from './errors.ts';
import { ensureJars } from './jars.ts';
import { findJava } from './java.ts';
import { withStackLock } from './lock.ts';
import { outsideHome } from './postgres.ts';
import { type ProcessRecord, isSame, readProcess, startDetached, stopProcess } from './processes.ts';

const STOP_ORDER: readonly Component[] = ['connect', 'registry', 'kafka', 'postgres'];

export interface UpResult {
  readonly endpoints: StackEndpoints;
  /** What this call started; empty when everything ran already. */
  readonly started: readonly Component[];
}

/** `starting`: its process lives but does not answer (yet); `foreign`: not ours, but its port is taken. */
export type ComponentState = 'running' | 'starting' | 'stopped' | 'foreign';

export interface ComponentStatus {
  readonly component: Component;
  readonly state: ComponentState;
  readonly port: number;
  readonly pid: number | null;
  readonly startedMs: number | null;
  readonly logFile: string;
}

/** Starts what does not run. Throws StackError; its message names what is missing, taken or failing. */
export function stackUp(config: StackConfig, progress: Progress = () => undefined): Promise<UpResult> {
  return withStackLock(config, async () => {
    const missing: Component[] = [];
    for (const component of COMPONENTS) {
      if ((await readProcess(pidFile(config, component))) === null) missing.push(component);
    }
    if (missing.length === 0) progress('every part is running already');
    await refuseTakenPorts(config, missing);
    const started = await startAll(config, missing, progress);
    return { endpoints: stackEndpoints(config), started };
  });
}

/** Ends exactly what this stack started; resolves with what ran. */
export function stackDown(
  config: StackConfig,
  progress: Progress = () => undefined,
): Promise<readonly Component[]> {
  return withStackLock(config, async () => {
    const stopped: Component[] = [];
    for (const component of STOP_ORDER) {
      if (await stopComponent(config, component, progress)) stopped.push(component);
    }
    if (stopped.length === 0) progress('nothing was running');
    return stopped;
  });
}

/** Down, then deletes the stack's data and logs (never the jars, nor anything else in the folder). */
export async function stackReset(config: StackConfig, progress: Progress = () => undefined): Promise<void> {
  await stackDown(config, progress);
  const own = [...COMPONENTS, 'logs', 'run'].map((name) => join(config.dataDir, name));
  for (const folder of [...own, outsideHome(config)]) await rm(folder, { recursive: true, force: true });
  progress(`deleted the stack's data in ${config.dataDir}`);
}

export function stackStatus(config: StackConfig): Promise<readonly ComponentStatus[]> {
  return Promise.all(COMPONENTS.map((component) => componentStatus(config, component)));
}

/** For tests of outages: ends one part, by default as a crash would. False when it does not run. */
export async function killComponent(
  config: StackConfig,
  component: Component,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<boolean> {
  const record = await readProcess(pidFile(config, component));
  if (record === null) return false;
  await stopProcess(record, pidFile(config, component), config.stopTimeoutMs, signal);
  return true;
}

async function componentStatus(config: StackConfig, component: Component): Promise<ComponentStatus> {
  const kind = COMPONENT_KINDS[component];
  const port = kind.port(config);
  const record = await readProcess(pidFile(config, component));
  const answers = record !== null && (await kind.answers(config));
  let state: ComponentState = answers ? 'running' : 'starting';
  if (record === null) state = (await isTaken(port)) ? 'foreign' : 'stopped';
  return {
    component,
    state,
    port,
    pid: record?.pid ?? null,
    startedMs: record?.startedMs ?? null,
    logFile: logFile(config, component),
  };
}

/** Starts the missing ones side by side (Connect once the broker's process is there), and waits for all. */
async function startAll(
  config: StackConfig,
  missing: readonly Component[],
  progress: Progress,
): Promise<readonly Component[]> {
  if (missing.length === 0) {
    await Promise.all(COMPONENTS.map((component) => awaitAnswer(config, component, null, 0)));
    return [];
  }
  const java = await findJava(config.javaHome);
  const tools: Toolbox = { config, java, jars: await ensureJars(config, progress), progress };
  await mkdir(join(config.dataDir, 'run'), { recursive: true });
  await mkdir(join(config.dataDir, 'logs'), { recursive: true });
  let brokerSpawned: () => void = () => undefined;
  const broker = new Promise<void>((resolve) => (brokerSpawned = resolve));
  const starts = COMPONENTS.map(async (component) => {
    if (!missing.includes(component)) {
      if (component === 'kafka') brokerSpawned();
      return awaitAnswer(config, component, null, 0);
    }
    if (component === 'connect') await broker;
    await startComponent(tools, component, component === 'kafka' ? brokerSpawned : () => undefined);
  });
  // Every start is waited for, so that a failure of one leaves no other half begun behind the lock.
  const results = await Promise.allSettled(starts.map((start) => start.finally(brokerSpawned)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return missing;
}

const MAX_TRIES = 4;

async function startComponent(tools: Toolbox, component: Component, spawned: () => void): Promise<void> {
  const { config, progress } = tools;
  const kind = COMPONENT_KINDS[component];
  const began = Date.now();
  progress(`${component}: starting`);
  for (let attempt = 1; ; attempt += 1) {
    const spec = await kind.prepare(tools);
    const log = logFile(config, component);
    const logStart = await stat(log).then(
      (file) => file.size,
      () => 0,
    );
    const record = await startDetached(spec, log, pidFile(config, component));
    spawned();
    try {
      await awaitAnswer(config, component, record, logStart);
      break;
    } catch (error) {
      const passing = kind.passing?.test(await logSince(log, logStart)) ?? false;
      if (!passing || attempt === MAX_TRIES || (await isSame(record))) throw error;
      await sleep(500 * attempt);
    }
  }
  await kind.finish?.(config);
  progress(`${component}: answers after ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** Resolves once the part answers; throws STK004 with its log's telling lines when it ends or is too slow. */
async function awaitAnswer(
  config: StackConfig,
  component: Component,
  record: ProcessRecord | null,
  logStart: number,
): Promise<void> {
  const kind = COMPONENT_KINDS[component];
  const deadline = Date.now() + config.startTimeoutMs;
  while (!(await kind.answers(config))) {
    const ended = record !== null && !(await isSame(record));
    if (ended || Date.now() >= deadline) {
      const log = logFile(config, component);
      const what = ended ? 'ended while starting' : `did not answer within ${config.startTimeoutMs / 1000} s`;
      const lines = tellingLines(await logSince(log, logStart));
      throw new StackError(STACK_ERRORS.startFailed, `${component} ${what}; ${log} says:\n${lines}`);
    }
    await sleep(150);
  }
}

async function stopComponent(
  config: StackConfig,
  component: Component,
  progress: Progress,
): Promise<boolean> {
  const file = pidFile(config, component);
  const record = await readProcess(file);
  if (record === null) {
    await rm(file, { force: true });
    return false;
  }
  const how = await stopProcess(record, file, config.stopTimeoutMs, COMPONENT_KINDS[component].stopSignal);
  if (await isSame(record)) {
    throw new StackError(STACK_ERRORS.stopFailed, `${component} (pid ${record.pid}) cannot be ended`);
  }
  progress(`${component}: ${how === 'ended' ? 'ended' : 'did not end in time and was killed'}`);
  return true;
}

/** Throws STK003 for a port that somebody else listens on. */
async function refuseTakenPorts(config: StackConfig, missing: readonly Component[]): Promise<void> {
  for (const component of missing) {
    const keys = component === 'kafka' ? (['kafka', 'kafkaController'] as const) : ([component] as const);
    for (const key of keys) {
      if (!(await isTaken(config.ports[key]))) continue;
      throw new StackError(
        STACK_ERRORS.portTaken,
        `port ${config.ports[key]} for ${key} is taken by another program: end it, or set ${PORT_SETTINGS[key]}`,
      );
    }
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port, timeout: 1000 });
    const settle = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

async function logSince(file: string, start: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return await readFile(file, 'utf8').catch(() => '');
  try {
    const { size } = await handle.stat();
    const length = Math.min(Math.max(size - start, 0), 1_000_000);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The first lines that tell of a failure, else the last ones. */
export function tellingLines(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.filter((line) => /ERROR|FATAL|Exception|Caused by|could not|cannot/i.test(line));
  const shown = telling.length > 0 ? telling.slice(0, 5) : lines.slice(-5);
  return shown.length === 0 ? '  (nothing)' : shown.map((line) => `  ${line.slice(0, 300)}`).join('\n');
}

function pidFile(config: StackConfig, component: Component): string {
  return join(config.dataDir, 'run', `${component}.json`);
}

function logFile(config: StackConfig, component: Component): string {
  return join(config.dataDir, 'logs', `${component}.log`);
}
