/** What every command is given: where to print, and its settings once it needs them. */
import type { Config, LoadedConfig } from '../config/load.ts';
import type { ExitCode } from '../runtime/exit-codes.ts';
import type { Logger } from '../runtime/logger.ts';

export interface GlobalOptions {
  readonly config?: string;
  readonly debug?: boolean;
}

export interface CommandContext {
  /** A line of the command's result, to standard output. */
  readonly print: (line: string) => void;
  /** A line for the person who waits, to standard error: results stay pipeable. */
  readonly progress: (line: string) => void;
  /** Settings with their origins. Throws ConfigurationError. */
  readonly load: () => Promise<LoadedConfig>;
  /** The settings and a logger made of them. */
  readonly setUp: () => Promise<{ readonly config: Config; readonly log: Logger }>;
  /** The status that the process ends with when the command did not throw; the last one said counts. */
  readonly exitWith: (code: ExitCode) => void;
}

/** Modules are loaded when a command asks: `--help` must not wait for them. */
export function createContext(
  globals: () => GlobalOptions,
  exitWith: CommandContext['exitWith'],
): CommandContext {
  const load = async (): Promise<LoadedConfig> => {
    const { loadProcessConfig } = await import('../config/environment.ts');
    return loadProcessConfig(globals().config ?? null);
  };
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  return {
    print: (line) => void process.stdout.write(`${line}\n`),
    progress,
    load,
    exitWith,
    async setUp() {
      const { config, warnings } = await load();
      for (const warning of warnings) progress(`warning: ${warning}`);
      const { createLogger } = await import('../runtime/logger.ts');
      const level = globals().debug === true ? 'debug' : config.log.level;
      return { config, log: createLogger({ level, format: config.log.format }) };
    },
  };
}
