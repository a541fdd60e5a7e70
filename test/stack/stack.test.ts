import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_PORTS, type StackConfig, stackConfig, stackEndpoints } from '../../src/stack/config.ts';
import { withStackLock } from '../../src/stack/lock.ts';
import { processStart } from '../../src/stack/processes.ts';
import { stackDown, stackReset, stackStatus, stackUp, tellingLines } from '../../src/stack/stack.ts';
import { freePorts } from '../support/free-ports.ts';

let folder: string;
let config: StackConfig;
let stranger: Server | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-stack-'));
  const [postgres = 0, kafka = 0, kafkaController = 0, registry = 0, connect = 0] = await freePorts(5);
  const ports = { postgres, kafka, kafkaController, registry, connect };
  config = stackConfig({ projectDir: folder, dataDir: 'data', ports });
});

afterEach(async () => {
  await new Promise((resolve) => (stranger === null ? resolve(null) : stranger.close(resolve)));
  stranger = null;
  await rm(folder, { recursive: true, force: true });
});

const listenOn = async (port: number) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  stranger = server;
};

describe('configuration', () => {
  test('counts relative folders from the project and leaves what is not given at its default', () => {
    const given = stackConfig({ projectDir: '/farm', jarsDir: 'jars', ports: { kafka: 1 } });
    expect(given).toMatchObject({
      dataDir: '/farm/.anchorline/stack',
      jarsDir: '/farm/jars',
      profile: 'full',
    });
    expect(given.ports).toEqual({ ...DEFAULT_PORTS, kafka: 1 });
    expect(stackEndpoints(given).kafkaBrokers).toEqual(['127.0.0.1:1']);
  });
});

describe('a stack that does not run', () => {
  test('says so, and `down` ends nothing', async () => {
    const lines: string[] = [];
    expect((await stackStatus(config)).map(({ state }) => state)).toEqual(Array(4).fill('stopped'));
    expect(await stackDown(config, (line) => lines.push(line))).toEqual([]);
    expect(lines).toEqual(['nothing was running']);
  });

  test('is not started over a port that somebody else uses', async () => {
    await listenOn(config.ports.registry);
    await expect(stackUp(config)).rejects.toMatchObject({
      code: 'STK003',
      message: expect.stringMatching(
        new RegExp(`${config.ports.registry} for registry .* ANCHORLINE_STACK_REGISTRY_PORT`),
      ),
    });
    const states = (await stackStatus(config)).map(({ component, state }) => [component, state]);
    expect(Object.fromEntries(states)).toMatchObject({ registry: 'foreign', kafka: 'stopped' });
  });

  test('is reset without touching what is not its own', async () => {
    await mkdir(join(config.dataDir, 'kafka', 'logs'), { recursive: true });
    await writeFile(join(config.dataDir, 'letter.txt'), 'mine');
    await stackReset(config);
    expect(await readFile(join(config.dataDir, 'letter.txt'), 'utf8')).toBe('mine');
    await expect(readFile(join(config.dataDir, 'kafka', 'logs'))).rejects.toThrow('ENOENT');
  });
});

describe('the lock', () => {
  test('lets one command work at a time, and the next once it is done', async () => {
    await withStackLock(config, async () => {
      await expect(stackDown(config)).rejects.toMatchObject({
        code: 'STK005',
        message: expect.stringContaining(`pid ${process.pid}`),
      });
    });
    expect(await stackDown(config)).toEqual([]);
  });

  test('of a command that died is taken over', async () => {
    await mkdir(join(config.dataDir, 'run'), { recursive: true });
    await writeFile(join(config.dataDir, 'run', 'lock'), `${process.pid} another start`);
    expect(await processStart(process.pid)).not.toBe('another start');
    expect(await stackDown(config)).toEqual([]);
  });
});

describe('telling lines of a log', () => {
  test('are those that name a failure, the first five', () => {
    const log = [
      'starting',
      'ERROR one',
      '  at x',
      ...Array.from({ length: 9 }, (_, i) => `FATAL ${i}`),
    ].join('\n');
    expect(tellingLines(log).split('\n')).toEqual([
      '  ERROR one',
      '  FATAL 0',
      '  FATAL 1',
      '  FATAL 2',
      '  FATAL 3',
    ]);
  });

  test('are the last ones when none does', () => {
    expect(tellingLines('a\n\nb\nc\nd\ne\nf\n').split('\n')).toEqual(['  b', '  c', '  d', '  e', '  f']);
    expect(tellingLines('')).toBe('  (nothing)');
  });
});
