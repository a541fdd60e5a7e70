/** Leases: who leads, by the store's clock alone. */
import type { Session } from './session.ts';

export async function acquireLease(
  session: Session,
  name: string,
  owner: string,
  ttlMs: number,
): Promise<boolean> {
  const taken = await session.run(
    `INSERT INTO ${session.t('lease')} AS l (name, owner, expires_at)
     VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
     WHERE l.owner = excluded.owner OR l.expires_at <= clock_timestamp()`,
    [name, owner, ttlMs],
  );
  return taken === 1;
}

export async function releaseLease(session: Session, name: string, owner: string): Promise<void> {
  await session.run(`DELETE FROM ${session.t('lease')} WHERE name = $1 AND owner = $2`, [name, owner]);
}
