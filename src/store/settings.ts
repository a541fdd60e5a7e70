/** What the store was computed with: a process that differs would write different rows beside the old ones. */
import { createHash } from 'node:crypto';

import { AnchorlineError, ConfigurationError } from '../domain/errors.ts';
import { ENGINE_VERSION } from '../domain/settings.ts';
import type { EngineSettings } from '../domain/settings.ts';
import type { Session } from './session.ts';

/** SHA-256 over the settings in the order of their names. */
export function settingsHash(settings: EngineSettings): string {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/**
 * Writes the settings into a store that has none; else throws ConfigurationError (CFG010 settings, CFG011 engine
 * version) that names each difference.
 */
export async function checkSettings(session: Session, expected: EngineSettings): Promise<void> {
  const table = session.t('settings');
  await session.run(
    `INSERT INTO ${table} (hash, engine_version, settings) VALUES ($1, $2, $3) ON CONFLICT (one) DO NOTHING`,
    [settingsHash(expected), ENGINE_VERSION, JSON.stringify(expected)],
  );
  const stored = await storedSettings(session);
  if (stored === null) throw new Error('the settings were not written');
  const { engineVersion: version } = stored;
  if (version !== ENGINE_VERSION) {
    throw new ConfigurationError(
      'CFG011',
      `schema ${session.names.schema} was computed by engine version ${version}, this is ${ENGINE_VERSION}: ` +
        'replay into a new schema and promote it',
    );
  }
  if (stored.hash === settingsHash(expected)) return;
  throw new ConfigurationError(
    'CFG010',
    `schema ${session.names.schema} was computed with other settings: ` +
      `${settingsDifferences(stored.settings, expected).join(', ')}; ` +
      'start with the stored ones, or replay into a new schema and promote it',
  );
}

/**
 * Another schema may have taken this one's place since the process started, computed otherwise: to go on would mix two
 * results. Waited out like an outage, so that nothing is parked for it.
 */
class SettingsChangedError extends AnchorlineError {
  constructor(schema: string) {
    super(
      'STO011',
      `schema ${schema} was replaced by one of other engine settings or of another release: start this process again ` +
        'with those',
      { retryable: true },
    );
  }
}

/** Throws where the schema was computed otherwise; one that was not computed yet is anybody's. */
export async function requireSettings(session: Session, hash: string): Promise<void> {
  const row = await session.first<[string, number]>(
    `SELECT hash, engine_version FROM ${session.t('settings')}`,
  );
  if (row === undefined || (row[0] === hash && row[1] === ENGINE_VERSION)) return;
  throw new SettingsChangedError(session.names.schema);
}

export interface StoredSettings {
  readonly hash: string;
  readonly engineVersion: number;
  readonly settings: object;
}

/** null: nothing was computed yet. */
export async function storedSettings(session: Session): Promise<StoredSettings | null> {
  const row = await session.first<[string, number, string]>(
    `SELECT hash, engine_version, settings FROM ${session.t('settings')}`,
  );
  if (row === undefined) return null;
  const [hash, engineVersion, json] = row;
  return { hash, engineVersion, settings: JSON.parse(json) as object };
}

/** Each setting that differs, in words. */
export function settingsDifferences(stored: object, expected: object): readonly string[] {
  const before = new Map<string, unknown>(Object.entries(stored));
  const now = new Map<string, unknown>(Object.entries(expected));
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((name) => before.get(name) !== now.get(name))
    .map(
      (name) =>
        `${name} is ${JSON.stringify(before.get(name))} there and ${JSON.stringify(now.get(name))} here`,
    );
}
