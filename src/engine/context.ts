/** A batch as all its assignments see it, prepared once and shared: stays, ledgers, shares and models. */
import { MAX_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { FeedingFact, Id, MortalityFact, TransferFact } from '../domain/facts.ts';
import type { Anomaly } from '../domain/rows.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { contradictionsOf } from './contradictions.ts';
import { Models } from './models.ts';
import { SharedEvents } from './shares.ts';
import { Stay, isDone, isMeasured } from './stay.ts';
import type { Destination } from './types.ts';

/** Prepares a batch; every part is worked out when first asked for. */
export function prepareBatch(facts: BatchFacts, horizon: Day, settings: EngineSettings): BatchContext {
  return new BatchContext(facts, horizon, settings);
}

export class BatchContext {
  readonly facts: BatchFacts;
  readonly horizon: Day;
  readonly settings: EngineSettings;
  readonly models: Models;
  /** Answers for events that nobody was there to share; undefined for a batch without assignments. */
  readonly lowestId: Id | undefined;
  readonly #stays = new Map<Id, Stay>();
  readonly #incoming: Map<Id, TransferFact[]>;
  readonly #outgoing: Map<Id, TransferFact[]>;
  #mortality: SharedEvents<MortalityFact> | undefined;
  #feedings: Map<Id, SharedEvents<FeedingFact>> | undefined;

  constructor(facts: BatchFacts, horizon: Day, settings: EngineSettings) {
    this.facts = facts;
    this.horizon = horizon;
    this.settings = settings;
    this.models = new Models(facts.scenario, facts.stages, settings);
    this.lowestId = facts.assignments[0]?.id;
    this.#incoming = grouped(facts.transfers, (transfer) => transfer.destId);
    this.#outgoing = grouped(facts.transfers, (transfer) => transfer.sourceId);
  }

  /** The days of an assignment that have a row; null: none, or it is not of this batch. */
  intervalOf(assignmentId: Id): DayWindow | null {
    return this.stayOf(assignmentId)?.interval(this.horizon) ?? null;
  }

  /** R7: the fish that the books say are there at the start of the day; 0 for an unknown assignment. */
  ledger(assignmentId: Id, day: Day): number {
    return this.stayOf(assignmentId)?.ledger(day) ?? 0;
  }

  stayOf(assignmentId: Id): Stay | undefined {
    const known = this.#stays.get(assignmentId);
    if (known !== undefined) return known;
    const assignment = this.facts.assignments.find(({ id }) => id === assignmentId);
    if (assignment === undefined) return undefined;
    const incoming = this.#incoming.get(assignmentId) ?? [];
    const stay = new Stay(
      { assignment, incoming, outgoing: this.outgoing(assignmentId) },
      this.facts,
      this.settings,
    );
    this.#stays.set(assignmentId, stay);
    return stay;
  }

  /** Transfers out of an assignment, in any status. */
  outgoing(assignmentId: Id): readonly TransferFact[] {
    return this.#outgoing.get(assignmentId) ?? [];
  }

  /** R24.7: who reads the rows of an assignment, on which day, and what a change of that row makes dirty. */
  destinationsOf(sourceId: Id): Destination[] {
    const destinations: Destination[] = [];
    for (const transfer of this.outgoing(sourceId)) {
      const { destId } = transfer;
      if (destId === null || !isDone(transfer) || isMeasured(transfer)) continue;
      const { day } = transfer;
      const first = this.stayOf(destId)?.first;
      // Fish dated before the first day arrive on it: where that is unknown or later, the rest of the stay is dirty.
      const to = first !== undefined && first <= day ? day : MAX_DAY;
      destinations.push({ destId, day, window: { from: day, to } });
    }
    return destinations;
  }

  /** Events that name the batch only, shared by all its assignments. */
  get sharedMortality(): SharedEvents<MortalityFact> {
    this.#mortality ??= new SharedEvents(this.#allStays(), this.facts.batchMortality, ({ count }) => count);
    return this.#mortality;
  }

  /** Feedings that name a container only, by container, shared by the batch's assignments in it. */
  get sharedFeedings(): ReadonlyMap<Id, SharedEvents<FeedingFact>> {
    this.#feedings ??= this.#shareFeedings();
    return this.#feedings;
  }

  /** Facts about the stay that contradict each other. */
  contradictionsOf(stay: Stay): Anomaly[] {
    const { containerId } = stay.assignment;
    const neighbours = this.facts.assignments.filter((other) => other.containerId === containerId);
    return contradictionsOf(
      stay,
      neighbours.map(({ id }) => this.stayOf(id)!),
      this.facts,
    );
  }

  /** R14, R18, R19: what is nobody's in particular, in the batch's lowest assignment's name. */
  unanswered(window: DayWindow): Anomaly[] {
    const anomalies: Anomaly[] = [];
    const add = (rule: string, day: Day, detail: string): void => {
      anomalies.push({ assignmentId: this.lowestId!, day, rule, code: 'nobody_to_share', detail });
    };
    for (const { day, amount } of this.sharedMortality.unshared(window)) {
      add('R18', day, `${amount} deaths recorded on the batch while none of its assignments had fish`);
    }
    for (const [containerId, feedings] of this.sharedFeedings) {
      for (const { day, amount } of feedings.unshared(window)) {
        const kg = amount / 10_000;
        add(
          'R19',
          day,
          `${kg} kg fed in container ${containerId} while no assignment of the batch was in it`,
        );
      }
    }
    const { from, to } = window;
    const unplaced = this.facts.unplacedHarvests.filter(({ day }) => day >= from && day <= to);
    for (const [day, lots] of Map.groupBy(unplaced, (lot) => lot.day)) {
      const fish = lots.reduce((sum, { count }) => sum + count, 0);
      const detail = `${fish} fish of the batch harvested from no assignment`;
      const rule = { rule: 'R14', code: 'harvest_without_assignment' } as const;
      anomalies.push({ assignmentId: this.lowestId!, day, ...rule, detail });
    }
    return anomalies;
  }

  #allStays(): Stay[] {
    return this.facts.assignments.map(({ id }) => this.stayOf(id)!);
  }

  #shareFeedings(): Map<Id, SharedEvents<FeedingFact>> {
    const shared = new Map<Id, SharedEvents<FeedingFact>>();
    for (const [containerId, feedings] of grouped(this.facts.containerFeedings, (f) => f.containerId)) {
      const members = this.#allStays().filter((stay) => stay.assignment.containerId === containerId);
      shared.set(containerId, new SharedEvents(members, feedings, ({ amountE4 }) => amountE4));
    }
    return shared;
  }
}

function grouped<T>(facts: readonly T[], keyOf: (fact: T) => Id | null): Map<Id, T[]> {
  const groups = new Map<Id, T[]>();
  for (const fact of facts) {
    const key = keyOf(fact);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [fact]);
    else group.push(fact);
  }
  return groups;
}
