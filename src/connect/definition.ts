/** The farm's connector from connectors/*.yaml and the settings. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { describeError } from '../runtime/describe-error.ts';
import { readYaml } from '../runtime/yaml.ts';
import { CAPTURED_TABLES, SOURCE_SCHEMA, changeTopic } from '../domain/topics.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';
import { type ConnectorDefinition, type TemplateValues, connectorDefinition } from './templates.ts';

export interface ConnectorSettings {
  /** The connector's name in Connect. */
  readonly name: string;
  /** First part of every change topic's name. */
  readonly prefix: string;
  /** The source as Connect reaches it, and the role made by prepareSource. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly sslMode: string;
  readonly slot: string;
  readonly publication: string;
  /** The registry's root as Connect reaches it. */
  readonly registryUrl: string;
  readonly snapshotMode: string;
  /** What to do when slot and stored offset disagree; see Debezium's offset.mismatch.strategy. */
  readonly offsetMismatch: string;
  readonly heartbeatMs: number;
  readonly replicationFactor: number;
  /** Partitions of the change topics of large tables; the others have one. */
  readonly largePartitions: number;
}

/** All that does not depend on where things are. */
export const DEFAULT_CONNECTOR = {
  name: 'anchorline-farm',
  prefix: 'farm',
  user: 'anchorline_cdc',
  password: 'anchorline_cdc',
  sslMode: 'prefer',
  slot: 'anchorline',
  publication: 'anchorline',
  snapshotMode: 'initial',
  offsetMismatch: 'trust_offset',
  heartbeatMs: 10_000,
  replicationFactor: 1,
  largePartitions: 6,
} as const satisfies Partial<ConnectorSettings>;

/** Long enough that a consumer which was away still learns what was deleted. */
export const DELETE_RETENTION_MS = 30 * 86_400_000;

/** The largest record that change topics take: a row with attachments in its texts. */
export const MAX_RECORD_BYTES = 67_108_864;

/** Files in a chain: more is a mistake that nobody sees through. */
const LONGEST_CHAIN = 8;

/**
 * Reads a connector's file and the bases that it stands on, each naming the next; the nearer file's keys count.
 * Throws CON001 when one of them is not as it should be, CON010 when they say other than the settings do.
 */
export async function loadConnector(file: string, settings: ConnectorSettings): Promise<ConnectorDefinition> {
  const definition = connectorDefinition(await readChain(file), templateValues(settings));
  const contradictions = contradictionsOf(definition, settings);
  if (contradictions.length === 0) return definition;
  throw new ConnectError(CONNECT_ERRORS.contradiction, `${file}: ${contradictions.join('; ')}`);
}

/** The file first, what it stands on after it. */
async function readChain(file: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const chain: Record<string, unknown>[] = [];
  for (let next: string | null = resolve(file); next !== null;) {
    if (chain.length === LONGEST_CHAIN) {
      throw new ConnectError(
        CONNECT_ERRORS.template,
        `${file} stands on more than ${LONGEST_CHAIN} files: does one of them name itself as its base?`,
      );
    }
    const own = await readKeys(next);
    const { base } = own;
    if (base !== undefined && typeof base !== 'string') {
      throw new ConnectError(CONNECT_ERRORS.template, `${next}: base is not the name of a file`);
    }
    chain.push(own);
    next = base === undefined ? null : resolve(dirname(next), base);
  }
  return chain;
}

/**
 * What the rest of Anchorline counts on. A file that sets one of these otherwise would be obeyed by Connect, and its
 * changes would be missed or misread without a word.
 */
function contradictionsOf(definition: ConnectorDefinition, settings: ConnectorSettings): readonly string[] {
  const { name, config } = definition;
  const fixed: readonly (readonly [
    key: string,
    found: string | undefined,
    wanted: string,
    setting: string,
  ])[] = [
    ['name', name, settings.name, 'connect.connector'],
    ['topic.prefix', config['topic.prefix'], settings.prefix, 'topics.prefix'],
    ['slot.name', config['slot.name'], settings.slot, 'source.slot'],
    ['publication.name', config['publication.name'], settings.publication, 'source.publication'],
    ['database.user', config['database.user'], settings.user, 'source.role'],
    ...Object.entries(FORM_OF_VALUES).map(
      ([key, value]) => [key, config[key], value, 'how ingest reads values'] as const,
    ),
  ];
  return fixed
    .filter(([, found, wanted]) => found !== wanted)
    .map(
      ([key, found, wanted, setting]) => `${key} is ${found ?? 'not set'}, but ${setting} wants ${wanted}`,
    );
}

/** What `cdc` and `source` expect of every value. */
const FORM_OF_VALUES = {
  'decimal.handling.mode': 'string',
  'time.precision.mode': 'adaptive_time_microseconds',
  'tombstones.on.delete': 'true',
  // Without it nobody knows when a transaction is whole.
  'provide.transaction.metadata': 'true',
} as const;

/** The values of the placeholders. */
export function templateValues(settings: ConnectorSettings): TemplateValues {
  const large = CAPTURED_TABLES.filter((table) => table.volume === 'large');
  return {
    ...settings,
    tables: capturedTables().join(','),
    // Connect reads it as regular expressions.
    largeTopics: large
      .map((table) => changeTopic(settings.prefix, table.name).replaceAll('.', '\\.'))
      .join(','),
    deleteRetentionMs: DELETE_RETENTION_MS,
    maxRecordBytes: MAX_RECORD_BYTES,
    // A record has to fit beside others that wait to be sent.
    producerBufferBytes: 2 * MAX_RECORD_BYTES,
  };
}

/** The captured tables with their schema, as SQL and Debezium name them. */
export function capturedTables(): readonly string[] {
  return CAPTURED_TABLES.map((table) => `${SOURCE_SCHEMA}.${table.name}`);
}

async function readKeys(file: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = readYaml(await readFile(file, 'utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new ConnectError(CONNECT_ERRORS.template, `${file} cannot be read: ${describeError(error)}`, {
      cause: error,
    });
  }
  throw new ConnectError(CONNECT_ERRORS.template, `${file} holds no keys`);
}
