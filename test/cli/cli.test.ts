import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createContext } from '../../src/cli/context.ts';
import { addCommands } from '../../src/cli/program.ts';
import { anchorline } from '../support/cli.ts';

/** Every command as its words: `stack up`. */
function commandPaths(command: Command, words: readonly string[] = []): (readonly string[])[] {
  return command.commands.flatMap((child) => {
    const path = [...words, child.name()];
    return [path, ...commandPaths(child, path)];
  });
}

const PATHS = commandPaths(
  addCommands(
    new Command('anchorline'),
    createContext(
      () => ({}),
      () => undefined,
    ),
  ),
);

describe('--help', () => {
  it('introduces the program', async () => {
    const { status, stdout } = await anchorline(['--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('Exit status: 0 done');
    for (const [name] of PATHS) expect(stdout).toContain(name);
    const begin = ['stack up', 'migrate', 'topics apply', 'connectors apply', 'run'];
    expect(stdout).toContain(`To begin:\n${begin.map((words) => `  $ anchorline ${words}\n`).join('')}`);
  });

  it.each(PATHS.map((path) => [path.join(' ')]))('%s teaches by example', async (path) => {
    const { status, stdout } = await anchorline([...path.split(' '), '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: anchorline ${path}`);
    expect(stdout).toContain('Example');
    expect(stdout).toMatch(new RegExp(String.raw`\$ .*anchorline ${path}`));
  });
});

describe('a command that fails', () => {
  it.each([
    ['an unknown command', ['stak']],
    ['an unknown option', ['config', '--colour']],
    ['a missing confirmation', ['stack', 'reset']],
  ])('has status 2 for %s and points to the help', async (_what, args) => {
    const { status, stderr } = await anchorline(args);
    expect(status).toBe(2);
    expect(stderr).toContain('--help tells more');
  });

  it('has status 2 for a wrong setting, in one line with its code', async () => {
    const { status, stderr } = await anchorline(['config'], { ANCHORLINE_HTTP_PORT: 'x' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error CFG001: http\.port = "x"/);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it('has status 1 when what it needs does not answer, and a trace with --debug', async () => {
    const env = { ANCHORLINE_KAFKA_BROKERS: '127.0.0.1:1', ANCHORLINE_LOG_LEVEL: 'silent' };
    const { status, stderr } = await anchorline(['--debug', 'topics', 'apply'], env);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error KAF001: 127\.0\.0\.1:1: /m);
    expect(stderr).toMatch(/^ {4}at /m);
  }, 60_000);
});

describe('config', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anchorline-cli-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('prints what --config says, with its origin and without secrets', async () => {
    const file = join(folder, 'farm.yaml');
    await writeFile(file, 'engine:\n  timeZone: Europe/Oslo\nstore:\n  url: postgres://u:hunter2@db/x\n');
    const { status, stdout } = await anchorline(['--config', file, 'config']);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^engine\\.timeZone +Europe/Oslo +${file}$`, 'm'));
    expect(stdout).not.toContain('hunter2');
  });

  it('warns of a variable that is no setting', async () => {
    const { status, stderr } = await anchorline(['config'], { ANCHORLINE_STORE_URI: 'x' });
    expect(status).toBe(0);
    expect(stderr).toContain('did you mean ANCHORLINE_STORE_URL?');
  });
});
