/**
 * The end-to-end tests' one stack: up before the first file, down and deleted after the last.
 * With ANCHORLINE_TEST_STACK_DIR a stack of processes in that folder is used and left running: quicker to come back to.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stackReset } from '../../src/stack/stack.ts';
import { type StackPlan, chooseProvider, processConfig, providerOf } from './stack-provider.ts';

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackPlan;
  }
}

/** Ports of a stack that outlives the run: fixed, so that the next run finds it. */
const KEPT_PORTS = { postgres: 25632, kafka: 29292, kafkaController: 29293, registry: 28280, connect: 28283 };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env['ANCHORLINE_TEST_STACK_DIR'];
  const dataDir = kept === undefined ? await mkdtemp(join(tmpdir(), 'anchorline-stack-')) : resolve(kept);
  // Postgres may run as another user, who must be able to enter.
  await chmod(dataDir, 0o755).catch(() => undefined);
  const plan: StackPlan =
    kept === undefined
      ? await chooseProvider(dataDir)
      : { kind: 'processes', config: processConfig(dataDir, KEPT_PORTS) };
  const provider = providerOf(plan, (line) => process.stderr.write(`stack: ${line}\n`));
  const cleanUp = async () => {
    if (kept !== undefined) return;
    await provider.stop();
    if (plan.kind === 'processes') await stackReset(plan.config);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await provider.start();
  } catch (error) {
    await cleanUp();
    throw error;
  }
  project.provide('stack', plan);
  return cleanUp;
}
