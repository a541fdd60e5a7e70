/**
 * Writes src/publish/contract-types.ts from the Avro schemas: their TypeScript types, and the schemas themselves,
 * so that nothing reads files at run time.
 *
 * Usage: node scripts/contract-types.mjs [--check]   (with --check: fails where the file is not what it would write)
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const TARGET = join(ROOT, 'src', 'publish', 'contract-types.ts');
const SCHEMAS = ['daily-state-key', 'daily-state-value'];
const PRIMITIVES = {
  null: 'null',
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  double: 'number',
};

function typeOf(schema) {
  if (Array.isArray(schema)) return schema.map(typeOf).toReversed().join(' | ');
  if (typeof schema === 'string') {
    const type = PRIMITIVES[schema];
    if (type === undefined) throw new Error(`no TypeScript type for the Avro type ${schema}`);
    return type;
  }
  if (schema.type === 'map') return `Readonly<Record<string, ${typeOf(schema.values)}>>`;
  return typeOf(schema.type);
}

function interfaceOf({ name, doc, fields }) {
  const members = fields.map(
    (field) => `  /** ${field.doc} */\n  readonly ${field.name}: ${typeOf(field.type)};\n`,
  );
  return `/** ${doc} */\nexport interface ${name} {\n${members.join('')}}\n`;
}

/** The file's text, formatted as the project is. */
export function contractTypes() {
  const parts = SCHEMAS.map((file) => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'src', 'publish', 'schemas', `${file}.avsc`), 'utf8'));
    const constant = `${file.replaceAll('-', '_').toUpperCase()}_SCHEMA`;
    return `${interfaceOf(schema)}\nexport const ${constant} = ${JSON.stringify(schema)} as const;\n`;
  });
  const text = `/** Written by scripts/contract-types.mjs from schemas/*.avsc: change those. */\n${parts.join('\n')}`;
  const oxfmt = join(ROOT, 'node_modules', '.bin', 'oxfmt');
  const formatted = spawnSync(oxfmt, ['--stdin-filepath', TARGET], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
  });
  if (formatted.status !== 0) throw new Error(`oxfmt failed: ${formatted.stderr}`);
  return formatted.stdout;
}

if (process.argv[1] === import.meta.filename) {
  const text = contractTypes();
  if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
  else if (readFileSync(TARGET, 'utf8') !== text) {
    console.error('src/publish/contract-types.ts is out of date: run node scripts/contract-types.mjs');
    process.exitCode = 1;
  }
}
