/** Which stack the end-to-end tests run against, as plain data that other processes can take up. */
import { join } from 'node:path';
import {
  type StackConfig,
  type StackEndpoints,
  type StackPorts,
  stackConfig,
  stackEndpoints,
} from '../../src/stack/config.ts';
import { type StackProvider, localProvider } from '../../src/stack/provider.ts';
import { freePorts } from './free-ports.ts';
import { type ContainerStack, containerEndpoints, containerProvider, hasEngine } from './stack-containers.ts';

export const PROJECT_DIR = join(import.meta.dirname, '..', '..');

export type StackPlan =
  | { readonly kind: 'processes'; readonly config: StackConfig }
  | { readonly kind: 'containers'; readonly stack: ContainerStack };

/** Containers where an engine answers, else processes; on ports that were free a moment ago. */
export async function chooseProvider(dataDir: string): Promise<StackPlan> {
  const [postgres, kafka, kafkaController, registry, connect, statePort] = await freePorts(6);
  const ports = { postgres, kafka, kafkaController, registry, connect } as StackPorts;
  if (await hasEngine()) {
    const project = `anchorline-test-${process.pid}`;
    return {
      kind: 'containers',
      stack: { projectDir: PROJECT_DIR, project, ports, statePort: statePort as number },
    };
  }
  return { kind: 'processes', config: processConfig(dataDir, ports) };
}

/** The tests' settings of a stack of processes. */
export function processConfig(dataDir: string, ports: Partial<StackPorts>): StackConfig {
  return stackConfig({
    projectDir: PROJECT_DIR,
    dataDir,
    ports,
    profile: 'fast',
    javaHome: process.env['JAVA_HOME'] ?? null,
  });
}

export function providerOf(
  plan: StackPlan,
  progress: (line: string) => void = () => undefined,
): StackProvider {
  return plan.kind === 'containers' ? containerProvider(plan.stack) : localProvider(plan.config, progress);
}

export function endpointsOf(plan: StackPlan): StackEndpoints {
  return plan.kind === 'containers' ? containerEndpoints(plan.stack) : stackEndpoints(plan.config);
}
