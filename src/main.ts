/** argv → command → exit status. */
import { runCli } from './cli/program.ts';
import { VERSION } from './version.ts';

// Exits instead of letting the loop run dry: after a forced stop something may still hold it.
process.exit(await runCli(process.argv.slice(2), VERSION));
