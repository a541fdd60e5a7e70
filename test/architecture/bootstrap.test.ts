import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let bin = '';
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'anchorline-path-'));
});
afterEach(() => rm(bin, { recursive: true }));

async function command(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

/** Runs it where nothing else is on the PATH; `config` would merely print settings if it came that far. */
function bootstrap(): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/bootstrap.mjs', 'config'], {
    env: { PATH: bin },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stderr };
}

describe('a machine that lacks tools', () => {
  it('is told of all of them in one sentence', () => {
    // Java may be installed in a place that is looked at besides the PATH.
    expect(bootstrap()).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /^Missing on this machine: npm \([^)]*\), (Java 21 or newer \([^)]*\), )?Maven \(`mvn`\); install and try again\.\n$/,
      ),
    });
  });

  it('is not told of those that it has', async () => {
    await command('npm', 'exit 0');
    const { status, stderr } = bootstrap();
    expect(status).toBe(1);
    expect(stderr).toContain('Maven');
    expect(stderr).not.toContain('npm');
  });
});

describe('a machine without a compiler', () => {
  it('is told so instead of being given node-rdkafka', async () => {
    await command('make', 'exit 0');
    const into = join(bin, 'rdkafka');
    const { status, stderr } = spawnSync(process.execPath, ['scripts/rdkafka.mjs', into], {
      env: { PATH: bin },
      encoding: 'utf8',
    });
    expect(stderr).toBe('node-rdkafka cannot be built: this machine has no g++, no python3\n');
    expect(status).toBe(1);
  });
});
