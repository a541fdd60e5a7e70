/** An operator's request for a resnapshot: checked, opened or joined, and handed to the connector. */
import { randomUUID } from 'node:crypto';
import { ConnectClient, isRunning } from '../connect/client.ts';
import { loadConnector } from '../connect/definition.ts';
import { recapture, slotTrouble } from '../connect/recapture.ts';
import { requestSnapshot, stopSnapshot, tablesSent } from '../connect/signals.ts';
import type { Resnapshot } from '../domain/resnapshot.ts';
import { CAPTURED_TABLES, changeTopic, notificationTopic } from '../domain/topics.ts';
import type { CapturedTableName } from '../domain/topics.ts';
import { RESNAPSHOT_ERRORS, ResnapshotError } from '../resnapshot/errors.ts';
import { planRun } from '../resnapshot/start.ts';
import { connectOf } from '../wiring-access.ts';
import { connectorFileOf, connectorSettingsOf, sourceAdminOf } from '../wiring.ts';
import type { App } from './app.ts';
import type { ResnapshotTools } from './resnapshot.ts';

export interface ResnapshotRequest {
  readonly tables: readonly CapturedTableName[] | 'all';
  readonly dry: boolean;
  readonly force: boolean;
  /** The slot is lost: the connector begins anew first. */
  readonly newSlot: boolean;
}

export interface Requesting extends Pick<App, 'config' | 'store' | 'clock'> {
  readonly tools: ResnapshotTools;
  readonly progress: (line: string) => void;
}

/** For each thing that is waited for while a connector gets a new slot. */
const RECAPTURE_MS = 180_000;

/** Resolves with the run once the connector was asked. May be repeated wherever it ended: it goes on from there. */
export async function requestResnapshot(parts: Requesting, request: ResnapshotRequest): Promise<Resnapshot> {
  const { config, store, progress } = parts;
  const sent = await tablesSent(sourceAdminOf(config), config.source.publication);
  const tables = chosen(request.tables, sent);
  const open = await openRun(parts);
  if (open !== null && fits(open, request)) {
    progress(`resnapshot ${open.id} is under way: this follows it`);
    refuseOthers(open, tables);
    return goOn(parts, open);
  }
  await check(parts, request);
  if (open !== null) {
    await store.resnapshots.end(open.id, 'cancelled', 'the slot was lost while it was under way');
    progress(`resnapshot ${open.id} is given up: the slot was lost while it was under way`);
  }
  const id = randomUUID();
  const { dry, force, newSlot } = request;
  // Somebody else may have been quicker: then it is theirs that goes on.
  await store.resnapshots.create({ id, dry, force, recapture: newSlot, tables });
  const run = await openRun(parts);
  if (run === null) throw new ResnapshotError(RESNAPSHOT_ERRORS.noRun, 'the run ended before it began');
  if (run.id !== id) refuseOthers(run, tables);
  return goOn(parts, run);
}

/** Ends the open run; what was removed stays removed, and the connector is told to leave off. */
export async function cancelResnapshot({ config, store }: Requesting): Promise<Resnapshot> {
  const run = await store.resnapshots.latest();
  if (run === null || run.outcome !== null) {
    throw new ResnapshotError(RESNAPSHOT_ERRORS.noRun, 'no resnapshot is under way');
  }
  await store.resnapshots.end(run.id, 'cancelled', null);
  const waiting = run.tables.filter(({ state }) => state === 'waiting').map(({ table }) => table);
  if (run.requestedMs !== null && waiting.length > 0) {
    await stopSnapshot(sourceAdminOf(config), run.id, waiting);
  }
  return run;
}

function chosen(
  wanted: ResnapshotRequest['tables'],
  sent: ReadonlySet<string>,
): readonly CapturedTableName[] {
  if (wanted === 'all') return CAPTURED_TABLES.map(({ name }) => name).filter((name) => sent.has(name));
  const absent = wanted.filter((table) => !sent.has(table));
  if (absent.length === 0) return wanted;
  throw new ResnapshotError(
    RESNAPSHOT_ERRORS.noSuchTable,
    `the source does not send ${absent.join(', ')}: it lacks the table, or \`anchorline connectors apply\` has to add it`,
  );
}

async function openRun({ store }: Requesting): Promise<Resnapshot | null> {
  const run = await store.resnapshots.latest();
  return run === null || run.outcome !== null ? null : run;
}

/** A run that began before the slot was lost saw rows that may be gone since: it cannot vouch for them. */
function fits(open: Resnapshot, { newSlot }: ResnapshotRequest): boolean {
  return !newSlot || (open.recapture && !open.begun);
}

function refuseOthers(open: Resnapshot, tables: readonly string[]): void {
  const covered = new Set<string>(open.tables.map(({ table }) => table));
  const others = tables.filter((table) => !covered.has(table));
  if (others.length === 0) return;
  throw new ResnapshotError(
    RESNAPSHOT_ERRORS.underWay,
    `resnapshot ${open.id} is under way, without ${others.join(', ')}: ask again when it has ended ` +
      '(`anchorline resnapshot status`), or cancel it',
  );
}

async function check({ config }: Requesting, { newSlot }: ResnapshotRequest): Promise<void> {
  const client = new ConnectClient(connectOf(config));
  const { connector } = config.connect;
  const refuse = (why: string): never => {
    throw new ResnapshotError(RESNAPSHOT_ERRORS.connector, `connector ${connector} ${why}`);
  };
  const deployed = await client.config(connector);
  if (deployed === null) return refuse('is not deployed: run `anchorline connectors apply`');
  if (newSlot) {
    const settings = connectorSettingsOf(config);
    const definition = await loadConnector(connectorFileOf(config), settings);
    const source = sourceAdminOf(config);
    const trouble = await slotTrouble({ client, definition, source, slot: config.source.slot });
    if (trouble !== null) return;
    throw new ResnapshotError(
      RESNAPSHOT_ERRORS.slotServes,
      `slot ${config.source.slot} serves the connector: leave --new-slot out`,
    );
  }
  if (deployed['notification.sink.topic.name'] !== notificationTopic(config.topics.prefix)) {
    return refuse(
      'does not tell of its snapshots: run `anchorline topics apply` and `anchorline connectors apply`',
    );
  }
  const state = await client.state(connector);
  if (state === null || !isRunning(state)) {
    return refuse(
      'does not run: see `anchorline connectors status`; where its slot is lost, pass --new-slot as well',
    );
  }
  const at = await client.offset(connector);
  if (typeof at?.['incremental_snapshot_collections'] === 'string') {
    return refuse('is in the middle of another snapshot: wait for its end');
  }
}

async function goOn(parts: Requesting, run: Resnapshot): Promise<Resnapshot> {
  const { config, store, clock, progress } = parts;
  const source = sourceAdminOf(config);
  if (run.recapture && !run.begun) {
    await recapture({
      client: new ConnectClient(connectOf(config)),
      definition: await loadConnector(connectorFileOf(config), connectorSettingsOf(config)),
      source,
      slot: config.source.slot,
      timeoutMs: RECAPTURE_MS,
      sleep: (ms) => clock.sleep(ms),
      progress,
    });
  }
  if (!run.begun) await begin(parts, run);
  if (run.requestedMs === null) {
    await requestSnapshot(
      source,
      run.id,
      run.tables.map(({ table }) => table),
    );
    await store.resnapshots.noteRequested(run.id);
    progress(`the connector was asked for ${run.tables.length} tables`);
  }
  return (await store.resnapshots.latest()) ?? run;
}

/** From here on records count as shown. Positions first: one that moves meanwhile must not seem to be outside. */
async function begin({ config, store, tools, progress }: Requesting, run: Resnapshot): Promise<void> {
  const { prefix } = config.topics;
  const topics = [...run.tables.map(({ table }) => changeTopic(prefix, table)), notificationTopic(prefix)];
  const { logs } = tools.deps;
  const partitions = (await logs.bounds(topics)).filter(({ topic }) => topic !== notificationTopic(prefix));
  const positions = await store.positions(partitions);
  const known = new Map(partitions.map(({ topic, partition }, i) => [`${topic}/${partition}`, positions[i]]));
  const bounds = await logs.bounds(topics);
  const plan = planRun(
    prefix,
    bounds,
    bounds.map(({ topic, partition }) => known.get(`${topic}/${partition}`) ?? 0n),
  );
  await store.resnapshots.begin(run.id, plan.starts, plan.moves);
  for (const { topic, partition, from, to } of plan.moves) {
    progress(`${topic}/${partition}: position ${from} was outside the log, ingest goes on at ${to}`);
  }
}
