/** The farm's connector from connectors/*.yaml and the settings. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
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

/** Reads a connector's file and the base that it names. Throws CON001 when either is not as it should be. */
export async function loadConnector(file: string, settings: ConnectorSettings): Promise<ConnectorDefinition> {
  const own = await readYaml(file);
  const base = typeof own['base'] === 'string' ? await readYaml(join(dirname(file), own['base'])) : {};
  return connectorDefinition(own, base, templateValues(settings));
}

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
  };
}

/** The captured tables with their schema, as SQL and Debezium name them. */
export function capturedTables(): readonly string[] {
  return CAPTURED_TABLES.map((table) => `${SOURCE_SCHEMA}.${table.name}`);
}

async function readYaml(file: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = parse(await readFile(file, 'utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new ConnectError(CONNECT_ERRORS.template, `${file} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
  throw new ConnectError(CONNECT_ERRORS.template, `${file} holds no keys`);
}
