/**
 * Dirt scopes → windows per assignment (R24): one statement per family of scopes, however many there are.
 * What each scope covers is said in domain/dirt.ts.
 */
import { MAX_DAY, MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { ResolvedDirt, ScopedReason } from '../domain/ports.ts';
import { dayArray, numberArray, textArray } from './arrays.ts';
import { groupScopes } from './scope-groups.ts';
import type { Named, PlaceWindow, ScopeGroups } from './scope-groups.ts';
import type { Session } from './session.ts';

/** A statement's rows: the windows of one assignment for one reason, or the whole life. */
type Hit = readonly [assignmentId: number, reason: string, from: Day, to: Day];
type Life = readonly [assignmentId: number, reason: string];

/** Hulls per assignment, ascending. */
export async function resolve(session: Session, scopes: readonly ScopedReason[]): Promise<ResolvedDirt[]> {
  const groups = groupScopes(scopes);
  const merged = new Merged();
  for (const { id, reason, from, to } of groups.assignments) merged.add(id, reason, from, to);
  for (const [id, reason, from, to] of await batches(session, groups.batches))
    merged.add(id, reason, from, to);
  for (const [id, reason, from, to] of await containers(session, groups.containers))
    merged.add(id, reason, from, to);
  for (const [id, reason, from, to] of await samplingEvents(session, groups.samplingEvents)) {
    merged.add(id, reason, from, to);
  }
  for (const [id, reason, from, to] of await workflows(session, groups.workflows))
    merged.add(id, reason, from, to);
  const lives = [
    ...(await structures(session, groups)),
    ...(await parameters(session, groups.parameters)),
    ...(await models(session, groups.models)),
    ...(await stages(session, groups.stages)),
  ];
  for (const [id, reason] of lives) merged.add(id, reason, MIN_DAY, MAX_DAY);
  return merged.result();
}

class Merged {
  readonly #byAssignment = new Map<number, { from: Day; to: Day; reasons: Set<string> }>();

  add(assignmentId: number, reason: string, from: Day, to: Day): void {
    const known = this.#byAssignment.get(assignmentId);
    if (known === undefined) {
      this.#byAssignment.set(assignmentId, { from, to, reasons: new Set([reason]) });
      return;
    }
    known.from = Math.min(known.from, from);
    known.to = Math.max(known.to, to);
    known.reasons.add(reason);
  }

  result(): ResolvedDirt[] {
    return [...this.#byAssignment]
      .map(([assignmentId, { from, to, reasons }]) => ({
        assignmentId,
        from,
        to,
        reasons: [...reasons].sort(),
      }))
      .sort((a, b) => a.assignmentId - b.assignmentId);
  }
}

/** Members of a batch, or of it in a container and its lowest; `w` names batch_id and container_id. */
function memberOf(session: Session, alias: string): string {
  const table = session.t('fact_assignment');
  return `m.batch_id = ${alias}.batch_id AND (${alias}.container_id IS NULL OR m.container_id = ${alias}.container_id
    OR m.id = (SELECT min(l.id) FROM ${table} l WHERE l.batch_id = ${alias}.batch_id))`;
}

function placeArrays(windows: readonly PlaceWindow[]): string[] {
  return [
    numberArray(windows.map((w) => w.id)),
    numberArray(windows.map((w) => w.containerId)),
    textArray(windows.map((w) => w.reason)),
    dayArray(windows.map((w) => w.from)),
    dayArray(windows.map((w) => w.to)),
  ];
}

const PLACES = `unnest($1::bigint[], $2::bigint[], $3::text[], $4::date[], $5::date[])`;

async function batches(session: Session, windows: readonly PlaceWindow[]): Promise<Hit[]> {
  if (windows.length === 0) return [];
  return session.rows<Hit>(
    `SELECT m.id, w.reason, min(w.from_day), max(w.to_day)
     FROM ${PLACES} w (batch_id, container_id, reason, from_day, to_day)
     JOIN ${session.t('fact_assignment')} m ON ${memberOf(session, 'w')}
     GROUP BY m.id, w.reason`,
    placeArrays(windows),
  );
}

/** Only stays that touch the window, by their own dates: a batch's dates narrow them, never widen. */
async function containers(session: Session, windows: readonly PlaceWindow[]): Promise<Hit[]> {
  if (windows.length === 0) return [];
  return session.rows<Hit>(
    `SELECT m.id, w.reason, min(w.from_day), max(w.to_day)
     FROM ${PLACES} w (id, container_id, reason, from_day, to_day)
     JOIN ${session.t('fact_assignment')} m ON m.container_id = w.id
       AND m.start_day <= w.to_day AND (m.departure_day IS NULL OR m.departure_day >= w.from_day)
     GROUP BY m.id, w.reason`,
    placeArrays(windows),
  );
}

function namedArrays(named: readonly Named[]): string[] {
  return [numberArray(named.map((n) => n.id)), textArray(named.map((n) => n.reason))];
}

const NAMED = 'unnest($1::bigint[], $2::text[])';

async function samplingEvents(session: Session, named: readonly Named[]): Promise<Hit[]> {
  if (named.length === 0) return [];
  return session.rows<Hit>(
    `WITH weighed AS (
       SELECT t.assignment_id, t.batch_id, t.container_id, t.day, k.reason
       FROM ${NAMED} k (id, reason) JOIN ${session.t('fact_treatment')} t ON t.sampling_event_id = k.id
     ), hit AS (
       SELECT w.assignment_id AS id, w.reason, w.day FROM weighed w WHERE w.assignment_id IS NOT NULL
       UNION ALL
       SELECT m.id, w.reason, w.day FROM weighed w
       JOIN ${session.t('fact_assignment')} m ON ${memberOf(session, 'w')}
       WHERE w.assignment_id IS NULL AND w.container_id IS NOT NULL
     )
     SELECT id, reason, min(day) - 2, max(day) + 2 FROM hit GROUP BY id, reason`,
    namedArrays(named),
  );
}

async function workflows(session: Session, named: readonly Named[]): Promise<Hit[]> {
  if (named.length === 0) return [];
  return session.rows<Hit>(
    `SELECT t.source_id, k.reason, min(t.day), max(t.day)
     FROM ${NAMED} k (id, reason) JOIN ${session.t('fact_transfer')} t ON t.workflow_id = k.id
     WHERE t.day IS NOT NULL GROUP BY t.source_id, k.reason`,
    namedArrays(named),
  );
}

/** Batches by id, by an assignment and by a harvest event, each with those that had unmeasured fish of theirs. */
async function structures(session: Session, groups: ScopeGroups): Promise<Life[]> {
  const { batchStructures, assignmentStructures, harvestEvents } = groups;
  if (batchStructures.length + assignmentStructures.length + harvestEvents.length === 0) return [];
  const assignment = session.t('fact_assignment');
  return session.rows<Life>(
    `WITH asked (id, reason) AS (
       SELECT * FROM unnest($3::bigint[], $4::text[])
       UNION
       SELECT e.assignment_id, k.reason FROM unnest($5::bigint[], $6::text[]) k (id, reason)
       JOIN ${session.t('fact_harvest_event')} e ON e.id = k.id WHERE e.assignment_id IS NOT NULL
     ), own (batch_id, reason) AS (
       SELECT * FROM ${NAMED}
       UNION
       SELECT a.batch_id, k.reason FROM asked k JOIN ${assignment} a ON a.id = k.id
       UNION
       SELECT e.batch_id, k.reason FROM unnest($5::bigint[], $6::text[]) k (id, reason)
       JOIN ${session.t('fact_harvest_event')} e ON e.id = k.id WHERE e.assignment_id IS NULL AND e.batch_id IS NOT NULL
     ), source (id, reason) AS (
       SELECT id, reason FROM asked
       UNION
       SELECT a.id, o.reason FROM own o JOIN ${assignment} a ON a.batch_id = o.batch_id
     ), reached (batch_id, reason) AS (
       SELECT batch_id, reason FROM own
       UNION
       SELECT d.batch_id, s.reason FROM source s
       JOIN ${session.t('fact_transfer')} t ON t.source_id = s.id
       JOIN ${assignment} d ON d.id = t.dest_id
       WHERE t.weight_e4 IS NULL OR t.weight_e4 <= 0
     )
     SELECT a.id, r.reason FROM reached r JOIN ${assignment} a ON a.batch_id = r.batch_id`,
    [...namedArrays(batchStructures), ...namedArrays(assignmentStructures), ...namedArrays(harvestEvents)],
  );
}

async function parameters(session: Session, named: readonly Named[]): Promise<Life[]> {
  if (named.length === 0) return [];
  return session.rows<Life>(
    `SELECT DISTINCT a.id, c.reason
     FROM (SELECT DISTINCT d.container_id, k.reason FROM ${NAMED} k (id, reason)
           JOIN ${session.t('reading_day')} d ON d.parameter_id = k.id) c
     JOIN ${session.t('fact_assignment')} a ON a.container_id = c.container_id`,
    namedArrays(named),
  );
}

/** Scenario, run, models and profile: each leads to scenarios or batches, those to the assignments. */
async function models(session: Session, named: ScopeGroups['models']): Promise<Life[]> {
  if (named.length === 0) return [];
  const scenario = session.t('fact_scenario');
  const batch = session.t('fact_batch');
  return session.rows<Life>(
    `WITH asked (id, reason, kind) AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])),
     tgc (id, reason) AS (
       SELECT id, reason FROM asked WHERE kind = 'tgc_model'
       UNION
       SELECT m.id, k.reason FROM asked k JOIN ${session.t('fact_tgc_model')} m ON m.profile_id = k.id
       WHERE k.kind = 'profile'
     ), followed (id, reason) AS (
       SELECT id, reason FROM asked WHERE kind = 'scenario'
       UNION SELECT s.id, k.reason FROM tgc k JOIN ${scenario} s ON s.tgc_model_id = k.id
       UNION SELECT s.id, k.reason FROM asked k JOIN ${scenario} s ON s.mortality_model_id = k.id
         WHERE k.kind = 'mortality_model'
       UNION SELECT s.id, k.reason FROM asked k JOIN ${scenario} s ON s.constraint_set_id = k.id
         WHERE k.kind = 'constraint_set'
     ), run (id, reason) AS (
       SELECT id, reason FROM asked WHERE kind = 'projection_run'
       UNION SELECT r.id, k.reason FROM followed k JOIN ${session.t('fact_projection_run')} r ON r.scenario_id = k.id
     ), following (batch_id, reason) AS (
       SELECT s.batch_id, k.reason FROM followed k JOIN ${scenario} s ON s.id = k.id WHERE s.batch_id IS NOT NULL
       UNION SELECT b.id, k.reason FROM followed k JOIN ${batch} b ON b.pinned_scenario_id = k.id
       UNION SELECT b.id, k.reason FROM run k JOIN ${batch} b ON b.pinned_run_id = k.id
     )
     SELECT a.id, f.reason FROM following f JOIN ${session.t('fact_assignment')} a ON a.batch_id = f.batch_id`,
    [...namedArrays(named), textArray(named.map((n) => n.kind))],
  );
}

async function stages(session: Session, named: ScopeGroups['stages']): Promise<Life[]> {
  if (named.length === 0) return [];
  return session.rows<Life>(
    `WITH asked (id, reason, species_id) AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])),
     stage (id, reason) AS (
       SELECT id, reason FROM asked
       UNION
       SELECT s.id, k.reason FROM asked k
       JOIN ${session.t('fact_stage')} s ON s.species_id IS NOT DISTINCT FROM k.species_id
     )
     SELECT a.id, s.reason FROM stage s JOIN ${session.t('fact_assignment')} a ON a.stage_id = s.id`,
    [...namedArrays(named), numberArray(named.map((n) => n.speciesId))],
  );
}
