/** Whether the role that is logged in may do what a process does: all that is missing at once, before work begins. */
import { ConfigurationError } from '../domain/errors.ts';
import { compareRights, describeRight, runtimeRights } from '../domain/rights.ts';
import { readRights } from '../postgres/rights.ts';
import { GRANTING } from './errors.ts';
import type { Session } from './session.ts';

/** Throws ConfigurationError STO006. */
export async function checkRights(session: Session): Promise<void> {
  const [role, database] = (await session.first<[string, string]>(
    'SELECT current_user::text, current_database()::text',
  )) as [string, string];
  const held = await readRights(session.client, role);
  const { missing } = compareRights(runtimeRights({ role, database, ...session.names }), held);
  if (missing.length === 0) return;
  throw new ConfigurationError(
    'STO006',
    `role ${role} lacks in the state store: ${missing.map(describeRight).join(', ')}. ${GRANTING}`,
  );
}
