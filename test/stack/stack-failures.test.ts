/** What the local stack says when it cannot do what it is asked; stand-ins take the places of its parts. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { COMPONENTS, stackConfig } from '../../src/stack/config.ts';
import type { StackConfig } from '../../src/stack/config.ts';
import { ensureJars } from '../../src/stack/jars.ts';
import { findJava } from '../../src/stack/java.ts';
import { isSame, processStart, readProcess, startDetached } from '../../src/stack/processes.ts';
import type { ProcessRecord } from '../../src/stack/processes.ts';
import { stackDown, stackUp } from '../../src/stack/stack.ts';
import { freePorts } from '../support/free-ports.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

const FOREVER = 'setInterval(() => {}, 1000)';
const silently = (): undefined => undefined;

let folder: string;
let config: StackConfig;
const standIns: ProcessRecord[] = [];
const strangers: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-stack-'));
  const [postgres = 0, kafka = 0, kafkaController = 0, registry = 0, connect = 0] = await freePorts(5);
  config = stackConfig({
    projectDir: PROJECT_DIR,
    dataDir: join(folder, 'data'),
    jarsDir: join(folder, 'jars'),
    ports: { postgres, kafka, kafkaController, registry, connect },
    startTimeoutMs: 200,
    stopTimeoutMs: 5_000,
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const record of standIns.splice(0)) if (await isSame(record)) process.kill(record.pid, 'SIGKILL');
  for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A process in each part's place, which answers nobody. */
async function standInForAll(): Promise<readonly ProcessRecord[]> {
  await mkdir(join(config.dataDir, 'run'), { recursive: true });
  for (const component of COMPONENTS) {
    const spec = { command: process.execPath, args: ['-e', FOREVER], cwd: folder };
    standIns.push(await startDetached(spec, join(folder, `${component}.log`), pidFile(component)));
  }
  return [...standIns];
}

function pidFile(component: string): string {
  return join(config.dataDir, 'run', `${component}.json`);
}

/** A PATH with just these commands, each a shell script. */
async function path(commands: Readonly<Record<string, string>>): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const [name, script] of Object.entries(commands)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  vi.stubEnv('PATH', bin);
}

describe('Java', () => {
  test('that is missing is named', async () => {
    await path({});
    await expect(findJava(null, [])).rejects.toMatchObject({
      code: 'STK001',
      message: expect.stringMatching(/needs Java 21 or newer \(none was found\)/),
    });
  });

  test('that is too old is named with where it is, and one that will do is taken before it', async () => {
    await path({ java: `echo 'openjdk version "17.0.9"' >&2` });
    await expect(findJava(null, [])).rejects.toMatchObject({
      code: 'STK001',
      message: expect.stringContaining('java is 17'),
    });
    const home = join(folder, 'jvm', 'jdk-25');
    await mkdir(join(home, 'bin'), { recursive: true });
    await writeFile(join(home, 'bin', 'java'), `#!/bin/sh\necho 'openjdk version "25"' >&2\n`);
    await chmod(join(home, 'bin', 'java'), 0o755);
    const found = { command: join(home, 'bin', 'java'), version: 25 };
    expect(await findJava(null, [join(folder, 'jvm')])).toEqual(found);
    expect(await findJava(home, [])).toEqual(found);
  });
});

describe('Maven', () => {
  test('that is missing is named', async () => {
    await path({});
    await expect(ensureJars(config, silently)).rejects.toMatchObject({
      code: 'STK001',
      message: expect.stringContaining('install `mvn`'),
    });
  });

  test('that cannot fetch is quoted, and leaves nothing half done', async () => {
    await path({ mvn: `echo '[INFO] x'; echo '[ERROR] no route to the repository'; exit 1` });
    await expect(ensureJars(config, silently)).rejects.toMatchObject({
      code: 'STK002',
      message: expect.stringContaining('[ERROR] no route to the repository'),
    });
    expect(await readdir(config.jarsDir)).toEqual([]);
  });
});

describe('parts that run', () => {
  test('but do not answer in time are named with their log', async () => {
    await standInForAll();
    await expect(stackUp(config)).rejects.toMatchObject({
      code: 'STK004',
      message: expect.stringMatching(/^\w+ did not answer within 0\.2 s; .*\.log says:/),
    });
  });

  test('are ended by `down`, and nothing else is', async () => {
    const stranger = spawn(process.execPath, ['-e', FOREVER], { stdio: 'ignore' });
    strangers.push(stranger);
    await new Promise((resolve) => stranger.once('spawn', resolve));
    const parts = await standInForAll();
    expect(await Promise.all(parts.map(isSame))).toEqual([true, true, true, true]);
    expect((await stackDown(config)).toSorted()).toEqual([...COMPONENTS].toSorted());
    expect(await Promise.all(parts.map(isSame))).toEqual([false, false, false, false]);
    expect(await processStart(stranger.pid ?? 0)).not.toBeNull();
    expect(await stackDown(config)).toEqual([]);
  });

  test('and cannot be ended are named, and not forgotten', async () => {
    const [first] = await standInForAll();
    // As another user's process would take it.
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    await expect(stackDown({ ...config, stopTimeoutMs: 60 })).rejects.toMatchObject({
      code: 'STK006',
      message: expect.stringMatching(/^\w+ \(pid \d+\) cannot be ended/),
    });
    expect(await readProcess(pidFile('postgres'))).toEqual(first);
    expect(JSON.parse(await readFile(pidFile('connect'), 'utf8'))).toMatchObject({ pid: standIns[3]?.pid });
  });
});
