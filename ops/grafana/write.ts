/**
 * Writes ops/grafana/dashboards/*.json from dashboards.ts; import or provision those.
 *
 * Usage: node ops/grafana/write.ts [--check]   (with --check: fails where a file is not what it would write)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARDS } from './dashboards.ts';
import { dashboard } from './panels.ts';

const check = process.argv.includes('--check');
for (const spec of DASHBOARDS) {
  const file = join(import.meta.dirname, 'dashboards', `${spec.name}.json`);
  const text = `${JSON.stringify(dashboard(spec), null, 2)}\n`;
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is out of date: run node ops/grafana/write.ts`);
    process.exitCode = 1;
  }
}
