/**
 * The direction of imports: data moves domain ← runtime ← adapters ← steps ← compose, and never back.
 * Each folder names all it may import of src/; what is not named is refused, so a new folder starts with nothing.
 */
const PURE = ['cdc', 'source', 'window', 'engine'];

const MAY_IMPORT = {
  domain: [],
  runtime: ['domain'],
  ...Object.fromEntries(PURE.map((folder) => [folder, ['domain']])),
  // The defaults of the urls are the local stack's.
  config: ['domain', 'runtime', 'stack'],
  kafka: ['domain', 'runtime', 'net'],
  store: ['domain', 'runtime', 'net', 'postgres'],
  connect: ['domain', 'runtime', 'net', 'postgres'],
  stack: ['domain', 'runtime'],
  http: ['domain', 'runtime'],
  net: ['domain', 'runtime'],
  postgres: ['domain', 'runtime', 'net'],
  // Probes reach what they look at through the adapters; its judges are pure, see below.
  doctor: ['domain', 'runtime', 'kafka', 'store', 'connect', 'net', 'postgres'],
  // What the engine did put in words, and what its rows are held against: pure as well.
  explain: ['domain', 'engine', 'source'],
  validate: ['domain', 'engine'],
  // Its records are judged by the very functions of ingest.
  replay: ['ingest', 'source', 'domain', 'runtime'],
  // Steps reach the world through the ports in domain/ports.ts alone.
  ...Object.fromEntries(
    ['ingest', 'recompute', 'publish', 'scheduler', 'reconcile', 'resnapshot', 'promote', 'bulk'].map(
      (folder) => [folder, [...PURE, 'domain', 'runtime']],
    ),
  ),
};

const folderRules = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-${allowed.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
}));

/** These join the others and may import everything; nothing but each other may import them. */
const JOINS = ['compose', 'demo', 'cli'];

const KNOWN = [...Object.keys(MAY_IMPORT), ...JOINS].join('|');

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...folderRules,
    {
      name: 'a-new-folder-starts-with-nothing',
      comment: 'name in MAY_IMPORT what it may import',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: `^src/(${KNOWN})/` },
      to: { path: '^src/', pathNot: '^src/$1/' },
    },
    {
      name: 'main-starts-the-command-line',
      comment: 'arguments → command line → exit status: whatever else it needs belongs there',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(cli/|version\\.ts$)' },
    },
    {
      name: 'src-lies-in-folders',
      comment: 'a file beside the folders would escape their rules',
      severity: 'error',
      from: { path: '^src/[^/]+$', pathNot: '^src/(main|wiring|wiring-access|version)\\.ts$' },
      to: { path: '^src/' },
    },
    {
      name: 'doctor-judges-by-evidence-alone',
      comment: 'a judge is a function of what probes saw and of what the settings say',
      severity: 'error',
      from: { path: '^src/doctor/judge/' },
      to: { path: '^src/', pathNot: '^src/(domain|doctor/judge)/' },
    },
    {
      name: 'pure-folders-touch-no-platform',
      comment: 'domain, cdc, source, window, engine and the doctor’s judges are functions of their arguments',
      severity: 'error',
      from: { path: `^src/(domain|explain|validate|${PURE.join('|')}|doctor/judge)/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'steps-do-io-through-ports',
      comment: 'a step or a pure folder that imports a client has gone round its port',
      severity: 'error',
      from: {
        path: `^src/(domain|explain|validate|${PURE.join('|')}|ingest|recompute|publish|scheduler|reconcile|resnapshot|promote|bulk|replay)/`,
      },
      to: {
        path: `node_modules/(pg|pg-copy-streams|kafkajs|undici|oauth4webapi|fastify|lz4-napi|@kafkajs/confluent-schema-registry)/`,
      },
    },
    {
      name: 'no-cycles',
      comment: 'types may refer to each other: nothing of them is left when the program runs',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-tests-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|ops)/' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
