/**
 * Builds node-rdkafka for this project's Node into .anchorline/rdkafka, from ops/rdkafka's lock file: a second client for
 * `replay.reader`, which nothing needs to run. Minutes of one core, at low priority; what is there and loads is kept.
 *
 * Usage: node scripts/rdkafka.mjs [folder]   (instead of .anchorline/rdkafka)
 * Exit status: 0 it is there, 1 it could not be built, and the last line says why.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '..');
const FROM = join(ROOT, 'ops', 'rdkafka');
const INTO = join(ROOT, '.anchorline', 'rdkafka');
const LOCK = 'package-lock.json';
const MODULE = join('node_modules', 'node-rdkafka');
const LIMIT_MS = 30 * 60_000;
const LOW_PRIORITY = 10;
const TOOLS = ['g++', 'make', 'python3'];
/** What the library leaves out without a word where the headers are missing, and the package that has them (Debian). */
const FEATURES = { ssl: 'libssl-dev', gzip: 'zlib1g-dev', zstd: 'libzstd-dev', lz4: '', snappy: '' };

/** Null where it is there and loads; else why not. A child looks: what does not load may take its process along. */
export function rdkafkaProblem(folder = INTO) {
  if (!existsSync(join(folder, MODULE))) return 'node-rdkafka is not there';
  if (readText(join(folder, LOCK)) !== readText(join(FROM, LOCK)))
    return 'node-rdkafka is of another version';
  const look = 'console.log(JSON.stringify(require(process.argv[1]).features))';
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', look, join(folder, MODULE)], {
    encoding: 'utf8',
  });
  if (status !== 0)
    return `node-rdkafka does not load: ${/Error: (.*)/.exec(stderr)?.[1] ?? `status ${status}`}`;
  const features = new Set(JSON.parse(stdout));
  const missing = Object.keys(FEATURES).filter((feature) => !features.has(feature));
  if (missing.length === 0) return null;
  const packages = missing.map((feature) => FEATURES[feature]).filter((name) => name !== '');
  return `node-rdkafka was built without ${missing.join(', ')}: install ${packages.join(', ')}`;
}

/** Null once it is built. In a folder beside its own, so that nobody finds half of it. */
function build(into) {
  const missing = TOOLS.filter((tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0);
  if (missing.length > 0) return `node-rdkafka cannot be built: this machine has no ${missing.join(', no ')}`;
  mkdirSync(dirname(into), { recursive: true });
  const folder = mkdtempSync(`${into}-`);
  try {
    for (const name of ['package.json', LOCK]) cpSync(join(FROM, name), join(folder, name));
    setPriority(LOW_PRIORITY);
    const headers = headersOfThisNode();
    const env = { ...process.env, ...(headers === null ? {} : { npm_config_nodedir: headers }) };
    console.error('building node-rdkafka, which takes some minutes …');
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const npm = spawnSync('npm', args, { cwd: folder, env, stdio: ['ignore', 2, 2], timeout: LIMIT_MS });
    if (npm.status !== 0) return 'node-rdkafka could not be built; npm’s own words are above';
    prune(join(folder, MODULE));
    const problem = rdkafkaProblem(folder);
    if (problem !== null) return problem;
    rmSync(into, { recursive: true, force: true });
    renameSync(folder, into);
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The pinned Node's package brings its headers along; null where node-gyp has to find them. */
function headersOfThisNode() {
  const platform = `node-${process.platform}-${process.arch}`;
  const near = dirname(dirname(process.execPath));
  const folders = [near, join(near, 'node_modules', platform), join(near, '..', platform)];
  const isOurs = (folder) => {
    const file = join(folder, 'include', 'node', 'node_version.h');
    const major = /NODE_MAJOR_VERSION (\d+)/.exec(readText(file))?.[1];
    return major === process.versions.node.split('.')[0];
  };
  return folders.find(isOurs) ?? null;
}

/** Sources and objects are half a gigabyte. */
function prune(module) {
  rmSync(join(module, 'deps'), { recursive: true, force: true });
  for (const folder of ['Release', 'deps'].map((name) => join(module, 'build', name))) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (!/\.(node|so|dylib)\b/.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const into = process.argv[2] ?? INTO;
  const started = Date.now();
  const problem = rdkafkaProblem(into) === null ? null : build(into);
  console.error(
    problem ?? `node-rdkafka is in ${into}, after ${Math.round((Date.now() - started) / 1000)} s`,
  );
  process.exitCode = problem === null ? 0 : 1;
}
