/** Fetches the local stack's jars where they are missing; `npm run demo` and `npm test` do it before anything runs. */
import { join } from 'node:path';
import { stackConfig } from '../../src/stack/config.ts';
import { ensureJars } from '../../src/stack/jars.ts';

const config = stackConfig({ projectDir: join(import.meta.dirname, '..', '..') });
try {
  await ensureJars(config, (line) => process.stderr.write(`· ${line}\n`));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
