/** Room for a second stack beside the tests' own, handled by the command line; whatever it started is gone afterwards. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StackConfig, StackPorts } from '../../src/stack/config.ts';
import { stackReset } from '../../src/stack/stack.ts';
import { anchorline } from './cli.ts';
import type { Ended } from './cli.ts';
import { freePorts } from './free-ports.ts';
import { stackEnvironment } from './stack-env.ts';
import { processConfig } from './stack-provider.ts';

export interface OtherStack extends AsyncDisposable {
  readonly config: StackConfig;
  /** `anchorline stack <command>` */
  cli(command: string): Promise<Ended>;
}

export async function otherStack(): Promise<OtherStack> {
  const dataDir = await mkdtemp(join(tmpdir(), 'anchorline-other-'));
  // Postgres may run as another user, who must be able to enter.
  await chmod(dataDir, 0o755);
  const [postgres, kafka, kafkaController, registry, connect] = await freePorts(5);
  const ports = { postgres, kafka, kafkaController, registry, connect } as StackPorts;
  const config = processConfig(dataDir, ports);
  const env = stackEnvironment(dataDir, ports);
  return {
    config,
    cli: (command) => anchorline(['stack', command], env),
    async [Symbol.asyncDispose]() {
      await stackReset(config);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
