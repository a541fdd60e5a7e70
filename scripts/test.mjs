/**
 * Everything that must hold: the static checks, then each tier of tests in turn (the cheap ones first, the
 * stack alone at the end, because it needs the machine for itself). The last line says `N passed, N failed`;
 * a failed check counts as a failure, and so does a grave finding of the registry's; one that does not tell is named.
 * node-rdkafka is built while the other tiers run; where that fails, its tests are not there, and it is named too.
 *
 * Usage: node scripts/test.mjs [tier…]   (default: checks and all tiers)
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { auditAdvisories } from './audit.mjs';
import { runChecks } from './check.mjs';
import { rdkafkaProblem } from './rdkafka.mjs';
import { countReport, summarise } from './summary.mjs';

const TIERS = ['unit', 'sim', 'db', 'e2e'];
const REPORTS = join('.anchorline', 'test-reports');

const asked = process.argv.slice(2);
const unknown = asked.filter((tier) => !TIERS.includes(tier));
if (unknown.length > 0) {
  console.error(`no such tier: ${unknown.join(', ')} (there are ${TIERS.join(', ')})`);
  process.exit(2);
}

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });

/** At low priority, beside what runs meanwhile. Resolves with what is the matter; null where it is there. */
function startRdkafka() {
  if (rdkafkaProblem() === null) return Promise.resolve(null);
  const path = join(REPORTS, 'rdkafka.txt');
  const log = openSync(path, 'w');
  const child = spawn(process.execPath, ['scripts/rdkafka.mjs'], { stdio: ['ignore', log, log] });
  console.log('building node-rdkafka meanwhile');
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (status) => {
      const said = readFileSync(path, 'utf8').trim();
      const last = said.slice(said.lastIndexOf('\n') + 1);
      console.log(status === 0 ? last : said);
      resolve(status === 0 ? null : last);
    });
  });
}

const tiers = asked.length === 0 ? TIERS : asked;
const rdkafka = tiers.includes('e2e') ? startRdkafka() : Promise.resolve(null);
const failedChecks = asked.length === 0 ? runChecks() : [];
const advisories = asked.length === 0 ? auditAdvisories() : { passed: null };
if (advisories.passed === false) failedChecks.push('advisories');

function runTier(tier) {
  const report = join(REPORTS, `${tier}.json`);
  const args = [
    'run',
    '--project',
    tier,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const { status } = spawnSync('vitest', args, { stdio: 'inherit' });
  const count = countReport(report);
  if (status === 0 || count.failed > 0) return count;
  return { ...count, failed: 1, problems: [`tier ${tier} ended with status ${status}`] };
}

const counts = [];
let rdkafkaLacks = null;
for (const tier of tiers) {
  if (tier === 'e2e') {
    const since = Date.now();
    rdkafkaLacks = await rdkafka;
    console.log(`waited ${Math.round((Date.now() - since) / 1000)} s for node-rdkafka`);
  }
  counts.push(runTier(tier));
}

const sum = summarise(counts);
const failed = sum.failed + failedChecks.length;
for (const name of failedChecks) console.log(`failed check: ${name}`);
for (const problem of sum.problems) console.log(problem);
process.exitCode = failed === 0 ? 0 : 1;
if (rdkafkaLacks !== null) console.log(`not tested: reading with node-rdkafka (${rdkafkaLacks})`);
if (asked.length === 0 && advisories.passed === null) console.log('not audited: see above');
console.log(`${sum.passed} passed, ${failed} failed`);
