/** Taking the connector away: it is stopped in order first; what it leaves in the source goes only where that is wanted. */
import pg from 'pg';
import { inBytes } from '../domain/quantities.ts';
import type { ConnectClient } from './client.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';
import { dropSlot, slotStatus } from './slot.ts';
import { type PgConfig, withSource } from './source-client.ts';
import { AWAITING_TABLE, OWN_SCHEMA } from './source-state.ts';

export interface RemovalChoices {
  readonly dropSlot: boolean;
  readonly dropPublication: boolean;
  readonly dropRole: boolean;
  readonly forgetOffsets: boolean;
}

export interface Removal {
  /** null: Connect is down and not asked; only what is in the source is taken away. */
  readonly client: ConnectClient | null;
  readonly name: string;
  readonly admin: PgConfig;
  readonly slot: string;
  readonly publication: string;
  readonly role: string;
  readonly choices: RemovalChoices;
  readonly timeoutMs: number;
  /** What was done, as it is done. */
  readonly tell: (line: string) => void;
}

/** May be interrupted anywhere and run again. Throws CON006, CON009 or CON015 for what the source does not give up. */
export async function removeConnector(removal: Removal): Promise<void> {
  const { client, admin, slot, publication, role, choices, timeoutMs, tell } = removal;
  if (client !== null) await removeFromConnect(client, removal);
  if (choices.dropSlot) {
    const dropped = await dropSlot(admin, slot, timeoutMs);
    tell(dropped ? `slot ${slot}: dropped` : `slot ${slot}: there is none`);
  }
  if (choices.dropPublication) {
    await dropPublication(admin, publication);
    tell(`publication ${publication}: dropped`);
  }
  if (choices.dropRole) {
    const dropped = await dropRole(admin, role);
    tell(dropped ? `role ${role}: dropped, with its rights` : `role ${role}: there is none`);
  }
  for (const line of await keptBy(removal)) tell(line);
}

async function removeFromConnect(client: ConnectClient, { name, choices, timeoutMs, tell }: Removal) {
  if ((await client.state(name)) === null) {
    tell(`connector ${name}: there is none`);
    if (choices.forgetOffsets) {
      tell(
        '  its offsets, if it had any, are kept: Connect forgets those of a connector that it knows. ' +
          'Should a new one not start for them, remove it with --forget-offsets then',
      );
    }
    return;
  }
  await client.stop(name, timeoutMs);
  tell(`connector ${name}: stopped`);
  if (choices.forgetOffsets) {
    await client.forgetOffsets(name);
    tell(`connector ${name}: its offsets are forgotten, another one begins with a snapshot`);
  }
  await client.remove(name);
  tell(`connector ${name}: removed`);
}

async function dropPublication(admin: PgConfig, publication: string): Promise<void> {
  await withSource(admin, async (client) => {
    await client.query('begin');
    await client.query(`drop publication if exists ${pg.escapeIdentifier(publication)}`);
    const known = await client.query<{ found: boolean }>('select to_regclass($1) is not null as found', [
      AWAITING_TABLE,
    ]);
    if (known.rows[0]?.found === true) {
      await client.query(`delete from ${AWAITING_TABLE} where publication = $1`, [publication]);
    }
    await client.query('commit');
  });
}

/** False where there is none. Never takes anything but rights with it: a role that owns something is refused. */
async function dropRole(admin: PgConfig, role: string): Promise<boolean> {
  return withSource(admin, async (client) => {
    const { rows } = await client.query<{ superuser: boolean; owns: string }>(
      `select rolsuper as superuser, (select count(*) from pg_shdepend
         where refclassid = 'pg_authid'::regclass and refobjid = r.oid and deptype = 'o') as owns
       from pg_roles r where rolname = $1`,
      [role],
    );
    const [found] = rows;
    if (found === undefined) return false;
    if (found.superuser || Number(found.owns) > 0) {
      const why = found.superuser ? 'is a superuser' : `owns ${found.owns} objects of this server`;
      throw new ConnectError(
        CONNECT_ERRORS.stillUsed,
        `role ${role} ${why}: it is not the connector's alone; drop it by hand, or leave it`,
      );
    }
    const name = pg.escapeIdentifier(role);
    await client.query(`begin; drop owned by ${name}; drop role ${name}; commit`);
    return true;
  });
}

/** What stays, what that means, and how it goes later. */
async function keptBy(removal: Removal): Promise<readonly string[]> {
  const { client, admin, slot, publication, role, choices } = removal;
  const later = (option: string) => `; drop it later with \`anchorline connectors remove ${option}\``;
  const kept: string[] = [];
  if (!choices.dropSlot) {
    const found = await slotStatus(admin, slot).catch(() => 'unknown' as const);
    const bytes = found === 'unknown' ? null : (found?.retainedBytes ?? null);
    if (found !== null) {
      kept.push(
        `kept: slot ${slot}. The farm's Postgres keeps all WAL for it from now on (so far: ${inBytes(bytes)}), ` +
          `until its disk is full; another connector of this name goes on where this one was${later('--drop-slot')}`,
      );
    }
  }
  if (client !== null && !choices.forgetOffsets) {
    kept.push('kept: the offsets in Connect, right for as long as the slot stays');
  }
  if (!choices.dropPublication) {
    kept.push(
      `kept: publication ${publication}, which costs nothing${later('--drop-slot --drop-publication')}`,
    );
  }
  if (!choices.dropRole) kept.push(`kept: role ${role}, which can still log in${later('--drop-role')}`);
  kept.push(
    `kept: schema ${OWN_SCHEMA} in the farm's database, for others may use it: DROP SCHEMA ${OWN_SCHEMA} CASCADE`,
  );
  return kept;
}
