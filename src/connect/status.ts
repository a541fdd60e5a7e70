/** The connector's health in one object and in words. */
import type { ConnectClient, ConnectorState } from './client.ts';
import { isRunning } from './client.ts';
import { type SlotStatus, slotStatus } from './slot.ts';
import type { PgConfig } from './source-client.ts';

export interface ConnectorStatus {
  /** null: there is no such connector. */
  readonly connector: ConnectorState | null;
  /** null: there is no slot; `unknown`: the source was not asked, or lets nobody in. */
  readonly slot: SlotStatus | null | 'unknown';
}

/** Connector, tasks and, where the source may be asked, its slot; a source that is down hides nothing else. */
export async function connectorStatus(
  client: ConnectClient,
  name: string,
  source: { readonly pg: PgConfig; readonly slot: string } | null,
): Promise<ConnectorStatus> {
  const unknown = (): 'unknown' => 'unknown';
  const [connector, slot] = await Promise.all([
    client.state(name),
    source === null ? unknown() : slotStatus(source.pg, source.slot).catch(unknown),
  ]);
  return { connector, slot };
}

/** True when connector and task run and the source still has all the WAL that the slot needs. */
export function isHealthy({ connector, slot }: ConnectorStatus): boolean {
  const lost = slot === null || (slot !== 'unknown' && slot.walStatus === 'lost');
  return connector !== null && isRunning(connector) && !lost;
}

export function renderConnectorStatus(name: string, status: ConnectorStatus): string {
  const { connector, slot } = status;
  if (connector === null) return `connector ${name}: not deployed`;
  const lines = [`connector ${name}: ${connector.state} on ${connector.workerId}`];
  lines.push(...connector.trace.map((line) => `    ${line}`));
  if (connector.tasks.length === 0) lines.push('  no task yet');
  for (const task of connector.tasks) {
    lines.push(
      `  task ${task.id}: ${task.state} on ${task.workerId}`,
      ...task.trace.map((line) => `    ${line}`),
    );
  }
  lines.push(`  ${renderSlot(slot)}`);
  return lines.join('\n');
}

function renderSlot(slot: SlotStatus | null | 'unknown'): string {
  if (slot === 'unknown') return 'slot: unknown (the source was not reached)';
  if (slot === null)
    return 'slot: none; if there was one, changes were missed: `anchorline resnapshot --all --new-slot`';
  const use = slot.active ? 'in use' : 'not in use';
  const lag = `${renderBytes(slot.lagBytes)} behind, ${renderBytes(slot.retainedBytes)} of WAL kept`;
  const lost =
    slot.walStatus === 'lost' ? '; the WAL it needs is gone: `anchorline resnapshot --all --new-slot`' : '';
  return `slot ${slot.slot}: ${use}, ${lag} (${slot.walStatus ?? 'unknown'})${lost}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

export function renderBytes(bytes: number | null): string {
  if (bytes === null) return 'unknown';
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
