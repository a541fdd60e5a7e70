/** Connector definitions with placeholders: pure objects in, objects out. */
import { CONNECT_ERRORS, ConnectError } from './errors.ts';

/** A connector's configuration as Connect takes it: every value is text. */
export type ConnectorConfig = Readonly<Record<string, string>>;

export interface ConnectorDefinition {
  readonly name: string;
  readonly config: ConnectorConfig;
}

export type TemplateValues = Readonly<Record<string, string | number | boolean>>;

type Scalar = string | number | boolean | null;

/**
 * Merges a chain of files, the nearest first (null takes a key of those below away), and fills `${…}`.
 * Throws CON001 for a placeholder without a value and for values that are no scalars.
 */
export function connectorDefinition(
  chain: readonly Readonly<Record<string, unknown>>[],
  values: TemplateValues,
): ConnectorDefinition {
  const merged: Readonly<Record<string, unknown>> = Object.assign({}, ...chain.toReversed());
  const { base: _base, name, ...keys } = merged;
  const config: Record<string, string> = {};
  for (const [key, value] of Object.entries(keys)) {
    if (!isScalar(value))
      throw new ConnectError(CONNECT_ERRORS.template, `${key} is neither text nor number`);
    if (value !== null) config[key] = fill(String(value), values, key);
  }
  if (typeof name !== 'string') throw new ConnectError(CONNECT_ERRORS.template, 'the connector has no name');
  return { name: fill(name, values, 'name'), config };
}

function fill(text: string, values: TemplateValues, key: string): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_match, name: string) => {
    const value = values[name];
    if (value !== undefined) return String(value);
    throw new ConnectError(CONNECT_ERRORS.template, `${key}: the placeholder \${${name}} has no value`);
  });
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
