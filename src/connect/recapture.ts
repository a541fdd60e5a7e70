/**
 * A new slot for a connector whose old one is lost. Neither the slot nor the offsets that go with it can be mended:
 * both are given up, and capture begins anew from now, without an initial snapshot. What happened in between comes
 * by a resnapshot of all tables, which must follow.
 */
import type { ConnectClient } from './client.ts';
import { isRunning } from './client.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';
import { dropSlot, slotStatus } from './slot.ts';
import type { SlotStatus } from './slot.ts';
import { withSource } from './source-client.ts';
import type { PgConfig } from './source-client.ts';
import { HEARTBEAT_TABLE } from './source-state.ts';
import type { ConnectorDefinition } from './templates.ts';

export interface Recapture {
  readonly client: ConnectClient;
  /** As it is to be in the end. */
  readonly definition: ConnectorDefinition;
  /** As a role that may drop slots and write the heartbeat. */
  readonly source: PgConfig;
  readonly slot: string;
  /** For each of the things that are waited for. */
  readonly timeoutMs: number;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly progress: (line: string) => void;
}

const LOOK_MS = 500;

/** Why a new slot is called for; null: the old one serves. */
export async function slotTrouble({
  client,
  definition,
  source,
  slot,
}: Pick<Recapture, 'client' | 'definition' | 'source' | 'slot'>): Promise<string | null> {
  const [status, state] = await Promise.all([slotStatus(source, slot), client.state(definition.name)]);
  if (status === null) return `the source has no slot ${slot}`;
  if (status.walStatus === 'lost') return `the WAL that slot ${slot} needs is gone`;
  if (state !== null && isRunning(state)) return null;
  return `connector ${definition.name} does not run with slot ${slot}`;
}

/** May be repeated from the beginning wherever it ended. */
export async function recapture(work: Recapture): Promise<void> {
  const { client, definition, source, slot, progress } = work;
  const { name } = definition;
  if ((await client.config(name)) === null) {
    throw new ConnectError(
      CONNECT_ERRORS.notDeployed,
      `there is no connector ${name}: run \`anchorline connectors apply\``,
    );
  }
  await client.stop(name, work.timeoutMs);
  await dropSlot(source, slot, work.timeoutMs);
  await client.forgetOffsets(name);
  progress(`connector ${name} is stopped, its slot and its offsets are given up`);
  await client.configure(name, { ...definition.config, 'snapshot.mode': 'no_data' });
  await client.resume(name);
  await client.awaitRunning(name, work.timeoutMs);
  // With no offset of its own yet, it would begin with an initial snapshot of everything under its usual mode.
  await eventually(work, `connector ${name} says where it is`, async () => {
    await beat(source);
    return isActive(await slotStatus(source, slot)) && (await client.hasOffsets(name));
  });
  await client.configure(name, definition.config);
  await eventually(work, `connector ${name} runs`, async () => {
    const state = await client.state(name);
    return state !== null && isRunning(state) && isActive(await slotStatus(source, slot));
  });
  progress(`connector ${name} captures from now on, with a new slot ${slot}`);
}

function isActive(slot: SlotStatus | null): boolean {
  return slot?.active === true;
}

/** Anything that the connector captures makes it say where it is. */
async function beat(source: PgConfig): Promise<void> {
  await withSource(source, (client) =>
    client.query(
      `insert into ${HEARTBEAT_TABLE} (id, beat_at) values (1, now())
       on conflict (id) do update set beat_at = excluded.beat_at`,
    ),
  );
}

async function eventually(
  { timeoutMs, sleep }: Recapture,
  what: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  for (let leftMs = timeoutMs; !(await holds()); leftMs -= LOOK_MS) {
    if (leftMs <= 0) {
      throw new ConnectError(CONNECT_ERRORS.failed, `not within ${timeoutMs / 1000} s: ${what}`, {
        retryable: true,
      });
    }
    await sleep(LOOK_MS);
  }
}
