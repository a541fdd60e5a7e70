/**
 * From a fresh clone to a running command, with nothing but Node 20 and npm: checks what the machine must bring,
 * installs the packages where they are missing or older than the lock file, fetches the stack's jars, and runs the
 * command with the pinned Node first on the PATH.
 *
 * Usage: node scripts/bootstrap.mjs test [argument…]       runs scripts/test.mjs
 *        node scripts/bootstrap.mjs <command> [argument…]  runs anchorline <command>
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MIN_NODE = 20;
const MIN_JAVA = 21;

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(project, 'node_modules', 'node', 'bin', 'node');

const say = (line) => process.stderr.write(`· ${line}\n`);
const fail = (line) => {
  process.stderr.write(`${line}\n`);
  process.exit(1);
};

/** One sentence that names everything the machine lacks; null when it has all. */
function missingTools(containers) {
  const node = Number(process.versions.node.split('.')[0]);
  const missing = [];
  if (node < MIN_NODE) missing.push(`Node ${MIN_NODE} or newer (this is ${node})`);
  if (!runs('npm', ['--version'])) missing.push('npm (it comes with Node)');
  // In containers the stack needs neither of the two.
  if (!containers && !hasJava()) missing.push(`Java ${MIN_JAVA} or newer (a JDK; JAVA_HOME may name it)`);
  if (!containers && !runs('mvn', ['--version'])) missing.push('Maven (`mvn`)');
  return missing.length === 0
    ? null
    : `Missing on this machine: ${missing.join(', ')}; install and try again.`;
}

/** As src/stack/java.ts looks for it, which cannot run before the packages are there. */
function hasJava() {
  const homes = ['/usr/lib/jvm', '/usr/java', '/opt/java'].flatMap((folder) => children(folder));
  const mac = children('/Library/Java/JavaVirtualMachines').map((home) => join(home, 'Contents', 'Home'));
  const commands = [process.env.JAVA_HOME, ...homes, ...mac]
    .filter((home) => home !== undefined && home !== '')
    .map((home) => join(home, 'bin', 'java'));
  return ['java', ...commands].some((command) => javaVersion(command) >= MIN_JAVA);
}

function javaVersion(command) {
  const { stderr } = spawnSync(command, ['-version'], { encoding: 'utf8' });
  return Number(/version "(?:1\.)?(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
}

function children(folder) {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 30_000 }).status === 0;
}

/** True when node_modules was not installed from the lock file as it stands. */
function packagesAreStale() {
  // npm writes this file at the end of every install.
  const installed = join(project, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || !existsSync(pinnedNode)) return true;
  return statSync(installed).mtimeMs < statSync(join(project, 'package-lock.json')).mtimeMs;
}

function step(what, command, args) {
  say(what);
  const started = Date.now();
  const { status } = spawnSync(command, args, { cwd: project, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`${command} ${args.join(' ')} failed; its own words are above.`);
  say(`done in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Says itself what it does, and nothing where the jars are there. */
function fetchJars() {
  const { status } = spawnSync(pinnedNode, [join('ops', 'stack', 'fetch-jars.ts')], {
    cwd: project,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(1);
}

/** Runs the command as if it were this process: its signals, its exit code. */
function become(args) {
  const path = [dirname(pinnedNode), join(project, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(pinnedNode, args, {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  // A terminal sends Ctrl-C to the child as well; without a handler this process would not wait for its end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`cannot run ${pinnedNode}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

const [command, ...rest] = process.argv.slice(2);
if (command === undefined) fail('usage: node scripts/bootstrap.mjs test|<anchorline command> [argument…]');
const inContainers = command === 'test' && runs('docker', ['info']) && runs('docker', ['compose', 'version']);
const missing = missingTools(inContainers);
if (missing !== null) fail(missing);
if (packagesAreStale())
  step('installing the packages (a minute or two, once)', 'npm', [
    'ci',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
  ]);
if (!inContainers) fetchJars();
become(
  command === 'test' ? [join('scripts', 'test.mjs'), ...rest] : [join('src', 'main.ts'), command, ...rest],
);
