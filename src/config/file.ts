/** The configuration file: YAML (and so JSON), one level of sections. */
import { ConfigurationError } from '../domain/errors.ts';
import { describeError } from '../runtime/describe-error.ts';
import { readYaml } from '../runtime/yaml.ts';
import { nearest } from './names.ts';
import { OPTIONS } from './options.ts';

export interface FileValues {
  /** By path; null stands for "left out" and is not here unless the setting may be nothing. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly string[];
}

/** Throws ConfigurationError CFG003 when the file cannot be read or is no mapping. */
export function readConfigFile(path: string, readFile: (path: string) => string): FileValues {
  const tree = parseFile(path, readFile);
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  const sections: Readonly<Record<string, Readonly<Record<string, unknown>>>> = OPTIONS;
  for (const [section, content] of Object.entries(tree)) {
    const options = sections[section];
    if (options === undefined) {
      problems.push(unknown(path, section, Object.keys(sections)));
    } else if (!isMapping(content)) {
      problems.push(`CFG002 ${path}: ${section} must hold settings: ${Object.keys(options).join(', ')}`);
    } else {
      for (const [key, value] of Object.entries(content)) {
        if (key in options) values.set(`${section}.${key}`, value);
        else
          problems.push(
            unknown(
              path,
              `${section}.${key}`,
              Object.keys(options).map((k) => `${section}.${k}`),
            ),
          );
      }
    }
  }
  return { values, problems };
}

function parseFile(path: string, readFile: (path: string) => string): Readonly<Record<string, unknown>> {
  let tree: unknown;
  try {
    tree = readYaml(readFile(path)) ?? {};
  } catch (error) {
    throw new ConfigurationError('CFG003', `cannot read ${path}: ${describeError(error)}`, error);
  }
  if (isMapping(tree)) return tree;
  throw new ConfigurationError(
    'CFG003',
    `${path} must be sections with settings, e.g. "kafka:\\n  brokers: host:9092"`,
  );
}

function unknown(path: string, given: string, known: readonly string[]): string {
  const meant = nearest(given, known);
  const mend = meant === null ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
  return `CFG002 ${path}: ${given} is no setting: ${mend}`;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
