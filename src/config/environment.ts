/** The only place that reads the process's environment. */
import { readFileSync } from 'node:fs';

import { loadConfig } from './load.ts';
import type { LoadedConfig } from './load.ts';

/** The settings of this process; `file` is what --config named. Throws ConfigurationError. */
export function loadProcessConfig(file: string | null = null): LoadedConfig {
  return loadConfig({ env: process.env, file, readFile: (path) => readFileSync(path, 'utf8') });
}
