/** A running stack, whoever runs it: processes of the user here, containers in the tests' support. */
import type { Component, Progress, StackConfig, StackEndpoints } from './config.ts';
import { killComponent, stackDown, stackUp } from './stack.ts';

export interface StackProvider {
  /** Brings up whatever does not run and resolves once every part answers. */
  start(): Promise<StackEndpoints>;
  stop(): Promise<void>;
  /** Ends one part as a crash would. */
  kill(component: Component): Promise<void>;
}

export function localProvider(config: StackConfig, progress: Progress = () => undefined): StackProvider {
  return {
    start: async () => (await stackUp(config, progress)).endpoints,
    stop: async () => {
      await stackDown(config, progress);
    },
    kill: async (component) => {
      await killComponent(config, component);
    },
  };
}
