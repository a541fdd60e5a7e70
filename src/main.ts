/** argv → command → exit status. */
import { readFileSync } from 'node:fs';

import { runCli } from './cli/program.ts';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

// Exits instead of letting the loop run dry: after a forced stop something may still hold it.
process.exit(await runCli(process.argv.slice(2), manifest.version));
