/** A stack's settings as the command line takes them. */
import { PORT_SETTINGS } from '../../src/stack/config.ts';
import type { StackPorts } from '../../src/stack/config.ts';

export function stackEnvironment(dataDir: string, ports: StackPorts): Record<string, string> {
  const names = Object.entries(PORT_SETTINGS) as [keyof StackPorts, string][];
  return {
    ...Object.fromEntries(names.map(([part, name]) => [name, String(ports[part])])),
    ANCHORLINE_STACK_DATA_DIR: dataDir,
    ANCHORLINE_STACK_PROFILE: 'fast',
  };
}
