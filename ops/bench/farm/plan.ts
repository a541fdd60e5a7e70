/**
 * The farm's structure, before anything happens in it: which batch stays where and when, which fish move, when they
 * are harvested. Fish hatch in trays, go to tanks (several to several), then to cages in the sea (one to several),
 * where the largest of several cages are sorted into one; cages are emptied by two harvests.
 */
import type { Day } from '../../../src/domain/day.ts';
import type { Id, SelectionMethod } from '../../../src/domain/facts.ts';
import { Random } from '../../../test/support/sim-random.ts';
import type { Phase } from './climate.ts';
import { FIRST_DAY, lastDayOf } from './scale.ts';
import type { FarmScale } from './scale.ts';

export interface StayPlan {
  readonly id: Id;
  readonly containerId: Id;
  readonly phase: Phase;
  readonly first: Day;
  /** The day of the last move or harvest: others have the fish by then. */
  readonly departure: Day;
}

export interface MovePlan {
  readonly workflowId: Id;
  readonly sourceId: Id;
  readonly destId: Id;
  readonly day: Day;
  /** Of the fish that are there by then. */
  readonly share: number;
  readonly selection: SelectionMethod;
}

export interface HarvestPlan {
  readonly assignmentId: Id;
  readonly day: Day;
  readonly share: number;
}

export interface BatchPlan {
  readonly id: Id;
  readonly seed: number;
  readonly start: Day;
  readonly end: Day;
  /** Came as fry of a count that the farm never touches, not as eggs. */
  readonly boughtIn: boolean;
  /** In order of first days; moves and harvests in order of days. */
  readonly stays: readonly StayPlan[];
  readonly moves: readonly MovePlan[];
  readonly harvests: readonly HarvestPlan[];
}

export interface ContainerPlan {
  readonly id: Id;
  readonly phase: Phase;
  readonly number: number;
}

export interface FarmPlan {
  readonly scale: FarmScale;
  readonly batches: readonly BatchPlan[];
  readonly containers: readonly ContainerPlan[];
  readonly lastDay: Day;
}

/** Assignment ids of a batch begin at its id times this. */
const STAYS_AT_MOST = 100;
/** Cleaning between two stays in a container. */
const FALLOW_DAYS = 7;

/** Shares of a life at which the fish move on. */
const TO_TANKS = 0.11;
const TO_SEA = 0.29;
const SORTING = 0.5;

export function planFarm(scale: FarmScale): FarmPlan {
  const random = new Random(scale.seed);
  const pool = new ContainerPool();
  const batches: BatchPlan[] = [];
  for (let n = 0; n < scale.batches; n += 1) {
    const seed = random.int(0, 0x7fffffff);
    batches.push(planBatch(n + 1, FIRST_DAY + n * scale.staggerDays, seed, scale, pool));
  }
  return { scale, batches, containers: pool.containers, lastDay: lastDayOf(scale) };
}

/** Containers by phase; one that is free again is taken before a new one is built. */
class ContainerPool {
  readonly containers: ContainerPlan[] = [];
  readonly #freeFrom = new Map<Id, Day>();

  take(phase: Phase, first: Day, departure: Day): Id {
    let container = this.containers.find(
      (c) => c.phase === phase && (this.#freeFrom.get(c.id) ?? 0) <= first,
    );
    if (container === undefined) {
      const number = this.containers.filter((c) => c.phase === phase).length + 1;
      container = { id: this.containers.length + 1, phase, number };
      this.containers.push(container);
    }
    this.#freeFrom.set(container.id, departure + FALLOW_DAYS);
    return container.id;
  }
}

function planBatch(id: Id, start: Day, seed: number, scale: FarmScale, pool: ContainerPool): BatchPlan {
  const random = new Random(seed);
  const life = scale.days + random.int(-Math.floor(scale.days / 40), Math.floor(scale.days / 40));
  const toTanks = start + Math.round(life * TO_TANKS);
  const toSea = start + Math.round(life * TO_SEA);
  const sorting = start + Math.round(life * SORTING) + random.int(0, Math.floor(life / 20));
  const counts = {
    tray: random.int(1, 2),
    tank: random.int(2, 3),
    cage: random.int(6, 8),
    sorted: random.int(1, 2),
  };
  let nextId = id * STAYS_AT_MOST + 1;
  const stay = (phase: Phase, first: Day, departure: Day): StayPlan => {
    const containerId = pool.take(phase, first, departure);
    return { id: nextId++, containerId, phase, first, departure };
  };
  const some = (count: number, make: (i: number) => StayPlan): StayPlan[] => Array.from({ length: count }, (_, i) => make(i)); // prettier-ignore
  const trays = some(counts.tray, () => stay('tray', start, toTanks));
  // The boat that takes the fish to the sea comes twice; the last tank to be emptied waits for it.
  const boat = (cage: number): Day => toSea + (cage * 2 < counts.cage ? 0 : 1);
  const tankOf = (cage: number): number => cage % counts.tank;
  const emptied = (tank: number): Day => {
    return Math.max(...Array.from({ length: counts.cage }, (_, c) => c).filter((c) => tankOf(c) === tank).map(boat)); // prettier-ignore
  };
  const tanks = some(counts.tank, (i) => stay('tank', toTanks, emptied(i)));
  const leaves = (): Day => start + life - random.int(0, Math.floor(life / 60));
  const cages = some(counts.cage, (i) => stay('cage', boat(i), leaves()));
  const sorted = some(counts.sorted, () => stay('cage', sorting, leaves()));
  const moves: MovePlan[] = [
    ...wholeMoves(id * 10 + 1, trays, () => tanks.map((tank) => ({ dest: tank, day: toTanks }))),
    ...wholeMoves(id * 10 + 2, tanks, (i) =>
      cages.flatMap((dest, cage) => (tankOf(cage) === i ? [{ dest, day: boat(cage) }] : [])),
    ),
    ...sortingMoves(id * 10 + 3, cages, sorted, random),
  ];
  const harvests = [...cages, ...sorted].flatMap(({ id: assignmentId, departure }) => [
    {
      assignmentId,
      day: departure - random.int(3, Math.max(4, Math.floor(life / 40))),
      share: 0.3 + random.next() / 4,
    },
    { assignmentId, day: departure, share: 1 },
  ]);
  const stays = [...trays, ...tanks, ...cages, ...sorted];
  return {
    id,
    seed: random.int(0, 0x7fffffff),
    start,
    end: Math.max(...stays.map(({ departure }) => departure)),
    boughtIn: id % 5 === 0,
    stays,
    moves: moves.sort((a, b) => a.day - b.day),
    harvests: harvests.sort((a, b) => a.day - b.day),
  };
}

/** Each source goes to its destinations in equal parts, until nothing is left. */
function wholeMoves(
  workflowId: Id,
  sources: readonly StayPlan[],
  destinationsOf: (source: number) => readonly { readonly dest: StayPlan; readonly day: Day }[],
): MovePlan[] {
  return sources.flatMap((source, i) => {
    const destinations = destinationsOf(i);
    return destinations.map(({ dest, day }, k) => ({
      workflowId,
      sourceId: source.id,
      destId: dest.id,
      day,
      share: 1 / (destinations.length - k),
      selection: 'AVERAGE' as const,
    }));
  });
}

/** The largest of a few cages, together into one. */
function sortingMoves(
  workflowId: Id,
  cages: readonly StayPlan[],
  sorted: readonly StayPlan[],
  random: Random,
): MovePlan[] {
  return sorted.flatMap((dest) =>
    random
      .shuffled(cages)
      .slice(0, random.int(3, 4))
      .map((source) => ({
        workflowId,
        sourceId: source.id,
        destId: dest.id,
        day: dest.first,
        share: 0.12 + random.next() / 10,
        selection: 'LARGEST' as const,
      })),
  );
}
