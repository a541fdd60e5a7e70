/**
 * The static checks, one after the other; every one runs even where an earlier failed.
 * Usage: node scripts/check.mjs
 */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const CHECKS = [
  ['types', 'tsc', ['--noEmit']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'oxfmt', ['--check']],
  ['unused', 'knip', ['--no-progress']],
  ['packages', process.execPath, ['scripts/audit.mjs', '--offline']],
  ['imports', process.execPath, ['scripts/check-imports.mjs']],
  ['dockerfile', 'dockerfile-utils', ['lint', 'Dockerfile']],
  ['compose', 'dclint', ['--max-warnings', '0', 'docker-compose.yml']],
];

/** Runs the checks and says on the console how each went; returns the names of those that failed. */
export function runChecks() {
  return CHECKS.filter(([name, command, args]) => {
    const started = Date.now();
    const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
    const verdict = status === 0 ? 'ok' : `FAILED${error ? ` (${error.message})` : ''}`;
    console.log(`check ${name}: ${verdict}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return status !== 0;
  }).map(([name]) => name);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = runChecks().length === 0 ? 0 : 1;
}
