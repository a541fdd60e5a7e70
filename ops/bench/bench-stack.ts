/** The real stack for benchmarks: the local one where it runs, else one of its own in a temporary folder. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProcessConfig } from '../../src/config/environment.ts';
import type { StackConfig } from '../../src/stack/config.ts';
import { stackConfig } from '../../src/stack/config.ts';
import { stackReset, stackStatus, stackUp } from '../../src/stack/stack.ts';
import { PROJECT_DIR, stackOf } from '../../src/wiring.ts';
import { freePorts } from '../../test/support/free-ports.ts';

/** What was started is ended by `cleanUp`. */
export async function runningStack(
  cleanUp: AsyncDisposableStack,
  say: (line: string) => void,
): Promise<StackConfig> {
  const local = stackOf(loadProcessConfig().config);
  if ((await stackStatus(local)).every(({ state }) => state === 'running')) return local;
  const dataDir = await mkdtemp(join(tmpdir(), 'anchorline-bench-'));
  // Postgres may run as another user, who must be able to enter.
  await chmod(dataDir, 0o755);
  const [postgres, kafka, kafkaController, registry, connect] = await freePorts(5);
  const ports = { postgres, kafka, kafkaController, registry, connect } as StackConfig['ports'];
  const own = stackConfig({ projectDir: PROJECT_DIR, dataDir, ports, profile: 'full' });
  cleanUp.defer(async () => {
    await stackReset(own);
    await rm(dataDir, { recursive: true, force: true });
  });
  await stackUp(own, say);
  return own;
}
