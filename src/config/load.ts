/**
 * From the environment, a file and the defaults to checked settings. Everything that is wrong is reported at
 * once, each with the setting, the value (unless it is a secret), where it came from and what to do.
 */
import type { z } from 'zod';

import { ConfigurationError } from '../domain/errors.ts';
import { describeError } from '../runtime/describe-error.ts';
import { withoutSecrets } from '../runtime/mask.ts';
import { accessWarnings } from './access-checks.ts';
import { contradictions } from './checks.ts';
import { readConfigFile } from './file.ts';
import { CONFIG_FILE_ENV, ENV_PREFIX, envName, nearest } from './names.ts';
import type { Basis, Option } from './option.ts';
import { OPTIONS } from './options.ts';

type Section = keyof typeof OPTIONS;

/** Loaded first: other sections' defaults follow them. */
const BASIC_SECTIONS: ReadonlySet<string> = new Set(['stack', 'topics'] satisfies Section[]);

export type Config = {
  readonly [S in Section]: {
    readonly [K in keyof (typeof OPTIONS)[S]]: (typeof OPTIONS)[S][K] extends { readonly schema: infer Z }
      ? z.output<Z>
      : never;
  };
};

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML or JSON file; null: as ANCHORLINE_CONFIG says, else none. */
  readonly file: string | null;
  /** Reads a whole file; throws where that is impossible. */
  readonly readFile: (path: string) => string;
}

/** Where a value came from: `default`, `environment`, or the file's path. */
export type Origin = string;

export interface LoadedConfig {
  readonly config: Config;
  /** By path, in the order of the reference. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Not wrong, but probably not what was meant: unknown variables of our prefix, secrets sent in the open. */
  readonly warnings: readonly string[];
}

interface Given {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Throws ConfigurationError (CFG001 … CFG005) listing every problem. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const file = sources.file ?? (sources.env[CONFIG_FILE_ENV] || null);
  const fromFile = file === null ? null : readConfigFile(file, sources.readFile);
  const problems: string[] = [...(fromFile?.problems ?? [])];
  const origins = new Map<string, Origin>();
  const config: Record<string, Record<string, unknown>> = {};

  const loadSection = (section: string, basis: Basis | null): void => {
    const loaded: Record<string, unknown> = {};
    for (const [key, option] of Object.entries<Option<unknown>>(OPTIONS[section as Section])) {
      const path = `${section}.${key}`;
      const result = valueOf(path, option, sources, fromFile?.values ?? null, file);
      if ('problem' in result) problems.push(result.problem);
      origins.set(path, 'problem' in result ? 'default' : (result.origin ?? 'default'));
      const given = 'problem' in result || result.origin === null ? undefined : result.value;
      loaded[key] = given === undefined ? defaultOf(option, basis) : given;
    }
    config[section] = loaded;
  };
  for (const section of BASIC_SECTIONS) loadSection(section, null);
  const basis = { ...config['stack'], ...config['topics'] } as unknown as Basis;
  for (const section of Object.keys(OPTIONS)) if (!BASIC_SECTIONS.has(section)) loadSection(section, basis);

  if (problems.length > 0) throw configurationError(problems);
  const complete = config as unknown as Config;
  const contradicting = contradictions(complete);
  if (contradicting.length > 0) throw configurationError(contradicting.map((text) => `CFG004 ${text}`));
  return {
    config: complete,
    origins,
    warnings: [...unknownVariables(sources.env), ...accessWarnings(complete)],
  };
}

export function defaultOf<T>(option: Option<T>, basis: Basis | null): T {
  if (typeof option.default !== 'function') return option.default;
  if (basis === null) throw new RangeError('a default of the basis cannot depend on the basis');
  return (option.default as (basis: Basis) => T)(basis);
}

type Result = { readonly value: unknown; readonly origin: Origin | null } | { readonly problem: string };

function valueOf(
  path: string,
  option: Option<unknown>,
  sources: ConfigSources,
  fileValues: ReadonlyMap<string, unknown> | null,
  file: string | null,
): Result {
  let given: Given | null;
  try {
    given = fromEnvironment(path, option, sources);
  } catch (error) {
    return { problem: `CFG005 ${path}: ${describeError(error)}` };
  }
  if (given === null && fileValues?.has(path) === true) {
    given = { value: fileValues.get(path), origin: file ?? 'file' };
  }
  if (given === null) return { value: undefined, origin: null };
  const parsed = option.schema.safeParse(given.value);
  if (parsed.success) return { value: parsed.data, origin: given.origin };
  const shown = option.secret ? 'the value (not shown)' : withoutSecrets(JSON.stringify(given.value));
  return {
    problem: `CFG001 ${path} = ${shown} (${given.origin}): expected ${option.expected}. Set ${envName(path)}, or leave it out for the default.`,
  };
}

/** An empty variable counts as not set: that is how compose files leave one out. */
function fromEnvironment(path: string, option: Option<unknown>, sources: ConfigSources): Given | null {
  const variable = envName(path);
  const value = sources.env[variable];
  const fileVariable = `${variable}_FILE`;
  const secretFile = option.secret ? sources.env[fileVariable] : undefined;
  if (value !== undefined && value !== '') {
    if (secretFile) throw new Error(`both ${variable} and ${fileVariable} are set: leave one out`);
    return { value, origin: 'environment' };
  }
  if (!secretFile) return null;
  try {
    return { value: sources.readFile(secretFile).trim(), origin: secretFile };
  } catch (error) {
    throw new Error(`cannot read ${secretFile}, which ${fileVariable} names (${describeError(error)})`, {
      cause: error,
    });
  }
}

function unknownVariables(env: ConfigSources['env']): readonly string[] {
  const known = Object.entries(OPTIONS).flatMap(([section, options]) =>
    Object.entries<Option<unknown>>(options).flatMap(([key, option]) => {
      const variable = envName(`${section}.${key}`);
      return option.secret ? [variable, `${variable}_FILE`] : [variable];
    }),
  );
  known.push(CONFIG_FILE_ENV);
  return Object.keys(env)
    .filter((variable) => variable.startsWith(ENV_PREFIX) && !known.includes(variable))
    .map((variable) => {
      const meant = nearest(variable, known);
      return `${variable} is no setting${meant === null ? '' : `: did you mean ${meant}?`}`;
    });
}

function configurationError(problems: readonly string[]): ConfigurationError {
  const code = /^CFG\d{3}/.exec(problems[0] ?? '')?.[0] ?? 'CFG001';
  const lines = problems.map((problem) => problem.replace(/^CFG\d{3} /, ''));
  return new ConfigurationError(code, lines.join('\n'));
}
