/** The connector's health in one object and in words. */
import { inBytes } from '../domain/quantities.ts';
import { heartbeatTopic } from '../domain/topics.ts';
import { AT_REST, type ConnectClient, type ConnectorState, failuresOf, isRunning } from './client.ts';
import { type SlotStatus, slotStatus } from './slot.ts';
import type { PgConfig } from './source-client.ts';
import { mendOf } from './trace.ts';

export interface HeartbeatStatus {
  readonly topic: string;
  /** Of the last record, to the second; null: there is none. */
  readonly ageMs: number | null;
  /** How often one is due. */
  readonly intervalMs: number;
}

export interface ConnectorStatus {
  readonly name: string;
  /** null: there is no such connector. */
  readonly connector: ConnectorState | null;
  /** null: there is no slot; `unknown`: the source was not asked, or lets nobody in. */
  readonly slot: SlotStatus | null | 'unknown';
  /** `unknown`: Kafka was not asked, or does not answer. */
  readonly heartbeat: HeartbeatStatus | 'unknown';
}

export interface StatusSources {
  readonly client: ConnectClient;
  readonly name: string;
  /** null: not asked. */
  readonly source: { readonly pg: PgConfig; readonly slot: string } | null;
  /** The age of a topic's last record, ms; null where Kafka is not asked. */
  readonly lastRecordAge: ((topic: string) => Promise<number | null>) | null;
}

/** Connector, tasks, slot and heartbeat; a source or a Kafka that is down hides nothing else. */
export async function connectorStatus(sources: StatusSources): Promise<ConnectorStatus> {
  const { client, name, source } = sources;
  const unknown = (): 'unknown' => 'unknown';
  const [connector, slot, heartbeat] = await Promise.all([
    client.state(name),
    source === null ? unknown() : slotStatus(source.pg, source.slot).catch(unknown),
    heartbeatStatus(sources).catch(unknown),
  ]);
  return { name, connector, slot, heartbeat };
}

async function heartbeatStatus({
  client,
  name,
  lastRecordAge,
}: StatusSources): Promise<HeartbeatStatus | 'unknown'> {
  const config = lastRecordAge === null ? null : await client.config(name);
  const prefix = config?.['topic.prefix'];
  if (lastRecordAge === null || config === null || prefix === undefined) return 'unknown';
  const topic = heartbeatTopic(prefix);
  const intervalMs = Number(config['heartbeat.interval.ms'] ?? 0);
  return { topic, ageMs: await lastRecordAge(topic), intervalMs };
}

const LATE_INTERVALS = 3;
const LATE_GRACE_MS = 10_000;

function isLate(heartbeat: ConnectorStatus['heartbeat']): boolean {
  if (heartbeat === 'unknown' || heartbeat.intervalMs === 0) return false;
  return (heartbeat.ageMs ?? Infinity) > LATE_INTERVALS * heartbeat.intervalMs + LATE_GRACE_MS;
}

/** Debezium retries some failures without end, and its task is RUNNING all the while. */
function readsNothing({ connector, slot, heartbeat }: ConnectorStatus): boolean {
  if (connector === null || !isRunning(connector)) return false;
  const beats = heartbeat !== 'unknown' && !isLate(heartbeat);
  return isLate(heartbeat) || (slot !== 'unknown' && slot?.active !== true && !beats);
}

/** True when connector and task run and read, and the source still has all the WAL that the slot needs. */
export function isHealthy(status: ConnectorStatus): boolean {
  const { connector, slot } = status;
  const lost = slot === null || (slot !== 'unknown' && slot.walStatus === 'lost');
  return connector !== null && isRunning(connector) && !lost && !readsNothing(status);
}

/** What is to be done, in words; empty where all is well. */
export function mendsOf(status: ConnectorStatus): readonly string[] {
  const { connector, slot, name } = status;
  if (connector === null)
    return [`there is no connector ${name}: \`anchorline connectors apply\` deploys it`];
  const failures = failuresOf(connector);
  const known = mendOf(failures.flatMap(({ trace }) => trace));
  return [
    ...(failures.length === 0
      ? []
      : [
          `${known ?? 'mend what the trace names'}; \`anchorline connectors restart --failed-only\` tries again`,
        ]),
    ...(AT_REST.has(connector.state) ? ['`anchorline connectors restart` lets it go on'] : []),
    ...(failures.length === 0 && !isRunning(connector) && !AT_REST.has(connector.state)
      ? ['it starts: look again in a moment; should it stay so, Connect’s log says why']
      : []),
    ...(slot === null
      ? [
          'there is no slot: a connector without offsets makes one as it starts; one with offsets has lost changes, which `anchorline resnapshot --all --new-slot` makes up for',
        ]
      : []),
    ...(slot !== null && slot !== 'unknown' && slot.walStatus === 'lost'
      ? [
          'the source no longer has the WAL that the slot needs: `anchorline resnapshot --all --new-slot` captures anew and makes up for what was missed',
        ]
      : []),
    ...(readsNothing(status)
      ? [
          'it runs, but reads nothing: it takes a snapshot, or tries again without end what the source refuses; `anchorline connectors plan` shows rights that are missing, Connect’s log the rest',
        ]
      : []),
  ];
}

export function renderConnectorStatus(status: ConnectorStatus): string {
  const { name, connector, slot, heartbeat } = status;
  const lines =
    connector === null
      ? [`connector ${name}: not deployed`]
      : [
          `connector ${name}: ${connector.state} on ${connector.workerId}`,
          ...connector.trace.map((line) => `    ${line}`),
          ...(connector.tasks.length === 0 ? ['  no task yet'] : []),
          ...connector.tasks.flatMap((task) => [
            `  task ${task.id}: ${task.state} on ${task.workerId}`,
            ...task.trace.map((line) => `    ${line}`),
          ]),
        ];
  const mends = mendsOf(status).map((mend) => `  mend: ${mend}`);
  return [...lines, `  ${renderSlot(slot)}`, `  ${renderHeartbeat(heartbeat)}`, ...mends].join('\n');
}

function renderSlot(slot: SlotStatus | null | 'unknown'): string {
  if (slot === 'unknown') return 'slot: unknown (the source was not reached)';
  if (slot === null)
    return 'slot: none; if there was one, changes were missed: `anchorline resnapshot --all --new-slot`';
  const use = slot.active ? 'in use' : 'not in use';
  const lag = `${inBytes(slot.lagBytes)} behind, ${inBytes(slot.retainedBytes)} of WAL kept`;
  return `slot ${slot.slot}: ${use}, ${lag} (${slot.walStatus ?? 'unknown'})`;
}

function renderHeartbeat(heartbeat: HeartbeatStatus | 'unknown'): string {
  if (heartbeat === 'unknown') return 'heartbeat: unknown (Kafka was not reached, or nothing is deployed)';
  if (heartbeat.intervalMs === 0) return 'heartbeat: none wanted (heartbeat.interval.ms)';
  const due = `one is due every ${heartbeat.intervalMs / 1_000} s`;
  if (heartbeat.ageMs === null) return `heartbeat: none yet, ${due}`;
  const late = isLate(heartbeat) ? ' (late)' : '';
  return `heartbeat: ${Math.round(heartbeat.ageMs / 1_000)} s ago${late}, ${due}`;
}
