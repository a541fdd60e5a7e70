/** Two schemas of the state store, held against each other in one snapshot. */
import type { Config } from '../config/load.ts';
import type { AssignmentComparison } from '../domain/comparison.ts';
import { ConfigurationError } from '../domain/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { comparable, compareAssignments } from '../store/compare.ts';
import type { ComparisonScope } from '../store/compare.ts';
import { readBuild } from '../store/migrate.ts';
import { SHARED_SCHEMA } from '../store/pg-store.ts';
import { checkedNames } from '../store/session.ts';
import type { Session } from '../store/session.ts';
import { ONE_SNAPSHOT, inTransaction } from '../store/transaction.ts';
import { openPool } from './store.ts';

export interface ComparisonOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Names of schemas; `live` stands for store.schema. */
  readonly left: string;
  readonly right: string;
  readonly scope: ComparisonScope;
  readonly onProgress: (done: number, of: number) => void;
}

/** Assignments in one statement: some ten thousand rows on either side. */
const CHUNK = 25;
const LIVE = 'live';

/** Throws ConfigurationError STO004 for a schema that is not there. */
export async function compareSchemas(options: ComparisonOptions): Promise<AssignmentComparison[]> {
  const { config, log, scope, onProgress } = options;
  const named = (name: string): string => (name === LIVE ? config.store.schema : name);
  const schemas = [named(options.left), named(options.right)] as const;
  const names = schemaNames(schemas[0]);
  schemaNames(schemas[1]);
  const pool = openPool(config, log);
  try {
    return await inTransaction(pool, names, ONE_SNAPSHOT, async (session) => {
      for (const schema of schemas) await requireSchema(session, schema);
      const ids = await comparable(session, schemas, scope);
      const compared: AssignmentComparison[] = [];
      for (let at = 0; at < ids.length; at += CHUNK) {
        const chunk = ids.slice(at, at + CHUNK);
        compared.push(...(await compareAssignments(session, schemas, chunk, scope.since)));
        onProgress(at + chunk.length, ids.length);
      }
      return compared;
    });
  } finally {
    await pool.end();
  }
}

function schemaNames(schema: string): ReturnType<typeof checkedNames> {
  try {
    return checkedNames({ schema, shared: SHARED_SCHEMA });
  } catch (error) {
    throw new ConfigurationError('STO004', (error as Error).message, error);
  }
}

async function requireSchema(session: Session, schema: string): Promise<void> {
  if ((await readBuild(session.client, { ...session.names, schema })) !== null) return;
  throw new ConfigurationError(
    'STO004',
    `schema ${schema} is not in the state store: \`anchorline replay list\` names those that are`,
  );
}
