/** Settings for people: what is in force and why, and the reference. */
import { maskedUrl } from '../runtime/mask.ts';
import { DEFAULT_PORTS } from '../stack/config.ts';
import { defaultOf } from './load.ts';
import type { LoadedConfig } from './load.ts';
import { envName } from './names.ts';
import type { Basis, Option } from './option.ts';
import { OPTIONS } from './options.ts';

const LOCAL: Basis = {
  namespace: OPTIONS.topics.namespace.default as string,
  postgresPort: DEFAULT_PORTS.postgres,
  kafkaPort: DEFAULT_PORTS.kafka,
  registryPort: DEFAULT_PORTS.registry,
  connectPort: DEFAULT_PORTS.connect,
};

/** One line per setting: path, value, origin. Secrets are masked; of a url only the password is. */
export function renderEffective({ config, origins }: LoadedConfig): string {
  const rows = Object.entries(OPTIONS).flatMap(([section, options]) =>
    Object.entries<Option<unknown>>(options).map(([key, option]) => {
      const path = `${section}.${key}`;
      const values = config[section as keyof typeof config] as Readonly<Record<string, unknown>>;
      return [path, display(values[key], option), origins.get(path) ?? 'default'] as const;
    }),
  );
  const widths = [0, 1].map((column) =>
    Math.min(60, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
  );
  return rows
    .map(
      ([path, value, origin]) => `${path.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${origin}`,
    )
    .join('\n');
}

/** docs/configuration.md, whole. */
export function renderReference(): string {
  const sections = Object.entries(OPTIONS).map(([section, options]) => {
    const rows = Object.entries<Option<unknown>>(options).map(([key, option]) => {
      const path = `${section}.${key}`;
      const preset = display(defaultOf(option, LOCAL), option);
      const cells = [`\`${path}\``, `\`${envName(path)}\``, `\`${preset}\``, prose(option)];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    });
    return [
      `## ${section}`,
      '',
      '| setting | variable | default | what it does |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${INTRODUCTION}\n\n${sections.join('\n\n')}\n`;
}

const INTRODUCTION = `# Configuration

Made by \`npm run config:docs\`; edit src/config/options.ts instead.

Every setting has a default that fits the local stack. A value comes from, first found:

1. the environment: the variable in the table (an empty one counts as not set);
2. the file that \`--config\` or \`ANCHORLINE_CONFIG\` names, YAML or JSON, by section:
   \`\`\`yaml
   kafka:
     brokers: [kafka-1:9092, kafka-2:9092]
   engine:
     timeZone: Europe/Oslo
   \`\`\`
3. the default.

A secret may also be put in a file named by the variable with \`_FILE\` at its end (\`ANCHORLINE_STORE_URL_FILE\`).
Settings are checked at start, each by itself and against each other; a process with a wrong one ends with status 2
and says which. \`anchorline config\` prints what is in force and where each value came from. Durations are in
milliseconds where the name ends in \`Ms\`. The settings of \`engine\` are inputs of the computation: a process that
differs from what the store was computed with refuses to start.`;

function prose(option: Option<unknown>): string {
  const expected = `${option.expected[0]?.toUpperCase() ?? ''}${option.expected.slice(1)}.`;
  return `${option.prose} ${expected}${option.secret ? ' Secret.' : ''}`;
}

function display(value: unknown, option: Option<unknown>): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.join(',');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (!option.secret) return text;
  return option.isUrl ? maskedUrl(text) : '***';
}
