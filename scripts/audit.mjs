/**
 * What the packages are: rules over package.json and the lock file, which need no network and always run; and what the
 * registry knows against them (`npm audit`). A registry that does not answer that is said, and is no pass.
 *
 * Usage: node scripts/audit.mjs [--offline] [folder]   (of the package.json; by default all that this project has)
 * Exit status: 0 nothing was found, 1 something was, 3 the registry does not tell.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '..');
/** Every lock file that packages are installed from. */
const FOLDERS = [ROOT, join(ROOT, 'ops', 'rdkafka')];
const AUDIT_LIMIT_MS = 60_000;
const GRAVE = new Set(['high', 'critical']);

const LICENCES = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
]);
/** For what is never shipped: tools and tests. */
const TOOL_LICENCES = new Set([...LICENCES, 'MPL-2.0']);
/** Those that say nothing where the lock file looks; read in the package itself, so a new version is read again. */
const READ_LICENCES = new Map([
  ['@kafkajs/confluent-schema-registry@4.1.0', 'MIT'],
  ['buildcheck@0.0.7', 'MIT'],
  ['cpu-features@0.0.10', 'MIT'],
  ['ssh2@1.17.0', 'MIT'],
]);

/** One sentence for each rule that is broken. */
export function lockProblems(manifest, lock) {
  const entries = Object.entries(lock.packages ?? {}).filter(([path]) => path !== '');
  if (entries.length === 0) return ['the lock file names no package: the audit audits nothing'];
  const packages = entries.map(([path, entry]) => ({ ...entry, name: nameOf(path), path }));
  return [
    ...packages.flatMap(originProblems),
    ...packages.flatMap(licenceProblems),
    ...scriptProblems(manifest.allowScripts ?? {}, packages),
  ];
}

function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** An address in the lock file would go before the registry that this machine is set to. */
function originProblems({ path, version, integrity, resolved, link }) {
  const problems = [];
  if (resolved !== undefined || link === true) {
    problems.push(
      `${path} comes from an address of its own (${resolved}): only the registry's packages are used`,
    );
  }
  if (!(integrity ?? '').startsWith('sha512-')) {
    problems.push(
      `${path} ${version} has no sha512 integrity, so anything may be installed for it: take its entry out of package-lock.json and run npm install --package-lock-only`,
    );
  }
  return problems;
}

function licenceProblems({ path, name, version, license, dev }) {
  const licence = license ?? READ_LICENCES.get(`${name}@${version}`);
  const allowed = dev === true ? TOOL_LICENCES : LICENCES;
  if (licence !== undefined && isAllowed(licence, allowed)) return [];
  return [
    `${path} ${version} is licensed ${licence ?? 'as its package does not say'}: use another, or add the licence to scripts/audit.mjs once it was read`,
  ];
}

/** `(MIT OR GPL-3.0)` leaves the choice, `MIT AND ISC` does not. */
function isAllowed(licence, allowed) {
  return licence
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => allowed.has(one.trim())));
}

/** npm runs the script of none that `allowScripts` does not allow; here, somebody has to have decided. */
function scriptProblems(allowScripts, packages) {
  const scripted = packages.filter(({ hasInstallScript }) => hasInstallScript === true);
  const names = new Set(scripted.map(({ name }) => name));
  return [
    ...scripted
      .filter(({ name }) => typeof allowScripts[name] !== 'boolean')
      .map(
        ({ path, version }) =>
          `${path} ${version} runs a script at install: read it, then set allowScripts in package.json`,
      ),
    ...Object.keys(allowScripts)
      .filter((name) => !names.has(name))
      .map((name) => `allowScripts names ${name}, which has no install script: take it out of package.json`),
  ];
}

/** `npm audit`'s answer: graver findings and the number of others, or why there is none. */
export function judgeAudit({ stdout, error }) {
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return { answered: false, why: error?.message ?? 'npm audit says nothing' };
  }
  const counts = answer.metadata?.vulnerabilities;
  if (counts === undefined || answer.vulnerabilities === undefined) {
    return { answered: false, why: answer.message ?? answer.error?.summary ?? 'npm audit gives no report' };
  }
  const findings = Object.values(answer.vulnerabilities);
  const grave = findings.filter(({ severity }) => GRAVE.has(severity));
  return { answered: true, lesser: findings.length - grave.length, problems: grave.map(describeFinding) };
}

function describeFinding({ name, severity, range, via, fixAvailable }) {
  const causes = via.map((cause) =>
    typeof cause === 'string' ? `by ${cause}` : `${cause.title}, ${cause.url}`,
  );
  return `${name} ${range} is ${severity}: ${causes.join('; ')} (${fixAvailable ? 'npm audit fix mends it' : 'no mended version yet'})`;
}

/** Says on the console how it went. `passed` is false where something was found, null where nobody could say. */
export function auditLock(folders = FOLDERS) {
  const found = folders.map((folder) => {
    const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const lock = read('package-lock.json');
    return {
      count: Object.keys(lock.packages).length - 1,
      problems: lockProblems(read('package.json'), lock),
    };
  });
  const problems = found.flatMap((one) => one.problems);
  for (const problem of problems) console.error(problem);
  const count = found.reduce((sum, one) => sum + one.count, 0);
  console.log(`${count} packages looked at, ${problems.length} problems`);
  return { passed: problems.length === 0 };
}

export function auditAdvisories(folders = FOLDERS) {
  const verdicts = folders.map((cwd) =>
    judgeAudit(spawnSync('npm', ['audit', '--json'], { cwd, encoding: 'utf8', timeout: AUDIT_LIMIT_MS })),
  );
  const answers = verdicts.filter(({ answered }) => answered);
  const problems = answers.flatMap((answer) => answer.problems);
  for (const problem of problems) console.error(problem);
  const unanswered = verdicts.find(({ answered }) => !answered);
  if (unanswered !== undefined) {
    console.log(
      `not audited: the registry did not say what is known against the packages (${unanswered.why})`,
    );
    return { passed: problems.length === 0 ? null : false };
  }
  const lesser = answers.reduce((sum, answer) => sum + answer.lesser, 0);
  console.log(`audited: ${problems.length} high or critical, ${lesser} lesser`);
  return { passed: problems.length === 0 };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    options: { offline: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const folders = positionals.length === 0 ? FOLDERS : positionals;
  const lock = auditLock(folders);
  const advisories = values.offline ? { passed: null } : auditAdvisories(folders);
  if (!lock.passed || advisories.passed === false) process.exitCode = 1;
  else if (advisories.passed === null && !values.offline) process.exitCode = 3;
}
