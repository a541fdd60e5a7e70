import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  isSame,
  processStart,
  readProcess,
  startDetached,
  startTick,
  stopProcess,
} from '../../src/stack/processes.ts';

const node = process.execPath;
let folder: string;
const strangers: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-processes-'));
});

afterEach(async () => {
  for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const start = (script: string) =>
  startDetached(
    { command: node, args: ['-e', script], cwd: folder },
    join(folder, 'log'),
    join(folder, 'pid'),
  );

const FOREVER = 'console.log("up"); setInterval(() => {}, 1000)';

describe('a detached process', () => {
  test('is remembered, logs to its file and ends on SIGTERM', async () => {
    const record = await start(FOREVER);
    await expect.poll(() => readFile(join(folder, 'log'), 'utf8')).toBe('up\n');
    expect(await readProcess(join(folder, 'pid'))).toEqual(record);
    expect(await stopProcess(record, join(folder, 'pid'), 10_000)).toBe('ended');
    expect(await isSame(record)).toBe(false);
    expect(await readProcess(join(folder, 'pid'))).toBeNull();
  });

  test('that does not listen to SIGTERM is killed after the deadline', async () => {
    const record = await start(`process.on('SIGTERM', () => {}); ${FOREVER}`);
    await expect.poll(() => readFile(join(folder, 'log'), 'utf8')).toBe('up\n');
    expect(await stopProcess(record, join(folder, 'pid'), 300)).toBe('killed');
    expect(await isSame(record)).toBe(false);
  });

  test('whose command does not exist is an error, and leaves no file', async () => {
    await expect(
      startDetached(
        { command: join(folder, 'none'), args: [], cwd: folder },
        join(folder, 'log'),
        join(folder, 'pid'),
      ),
    ).rejects.toThrow('ENOENT');
    expect(await readProcess(join(folder, 'pid'))).toBeNull();
  });
});

describe('a pid file', () => {
  test('that names a recycled pid counts as nothing', async () => {
    const stranger = spawn(node, ['-e', FOREVER], { stdio: 'ignore' });
    strangers.push(stranger);
    await new Promise((resolve) => stranger.once('spawn', resolve));
    const record = { pid: stranger.pid, start: 'another start', startedMs: 0 };
    await writeFile(join(folder, 'pid'), JSON.stringify(record));
    expect(await readProcess(join(folder, 'pid'))).toBeNull();
    expect(await processStart(stranger.pid as number)).not.toBeNull();
  });

  test.each(['', '{', '{"pid":"1"}', '{"pid":1,"start":""}'])(
    'that holds %j counts as nothing',
    async (text) => {
      await writeFile(join(folder, 'pid'), text);
      expect(await readProcess(join(folder, 'pid'))).toBeNull();
    },
  );
});

describe('what the system says of a process', () => {
  const stat = (state: string, threads: number) =>
    `4711 (a) b (c) ${state} 1 4711 4711 0 -1 4228364 100 0 0 0 5 6 0 0 20 0 ${threads} 0 584271 0 0 1844 0 0`;

  test.each([
    ['one that runs', 'S', 40, '584271'],
    ['one whose first thread has ended, and others hold its ports still', 'Z', 3, '584271'],
    ['a zombie', 'Z', 1, null],
    ['one that is just being removed', 'X', 0, null],
  ])('%s', (_what, state, threads, start) => {
    expect(startTick(stat(state, threads))).toBe(start);
  });
});
