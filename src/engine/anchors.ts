/** R22: the measured weight of a day, and the planned activity that led to it. */
import type { Day } from '../domain/day.ts';
import type { WeighingTreatment } from '../domain/engine-input.ts';
import type {
  AssignmentFact,
  GrowthSampleFact,
  ManualAnchorFact,
  PlannedActivityFact,
  TransferFact,
} from '../domain/facts.ts';
import { NEVER, byDay } from './day-order.ts';
import type { AnchorCandidate, DayObserver } from './observe.ts';
import { confidenceCode } from './row-codes.ts';
import { isDone, isMeasured } from './stay.ts';
import type { ComputeInput } from './types.ts';

/** Indices into ANCHOR_TYPES. */
const [SAMPLE, TRANSFER, VACCINATION, MANUAL] = [1, 2, 3, 4] as const;
const CONFIDENCE_OF = [0, 1, 0.95, 0.9, 0.85].map(confidenceCode);
/** A transfer's fish are not the mean of those that stay: measured LARGEST, SMALLEST → percent of it. */
const SELECTION_PERCENT = { AVERAGE: 100, LARGEST: 88, SMALLEST: 112 } as const;
const LED_TO_VACCINATION = new Set(['VACCINATION', 'TREATMENT']);

interface Dated {
  readonly day: Day;
}
type MeasuredTransfer = TransferFact & { readonly weightE4: number };

interface DatedTreatment extends Dated {
  readonly weighing: WeighingTreatment;
}

export class AnchorCursor {
  /** Index into ANCHOR_TYPES; 0: no anchor on the day last asked for. */
  type = 0;
  weight = Number.NaN;
  /** Confidence code. */
  confidence = 0;
  activity: string | null = null;

  readonly #samples: DayGroups<GrowthSampleFact>;
  readonly #transfers: DayGroups<TransferFact & Dated>;
  readonly #treatments: DayGroups<DatedTreatment>;
  readonly #manual: DayGroups<ManualAnchorFact>;
  readonly #activities: readonly PlannedActivityFact[];
  readonly #containerId: number;
  readonly #observer: DayObserver | null;
  #nextDay: Day;

  constructor({ context, facts, observer }: ComputeInput, assignment: AssignmentFact, from: Day) {
    this.#samples = new DayGroups(facts.samples, from);
    this.#transfers = new DayGroups(context.outgoing(assignment.id).filter(isDone), from);
    this.#treatments = new DayGroups(treatmentsHere(facts.treatments, assignment), from);
    this.#manual = new DayGroups(facts.manualAnchors, from);
    this.#activities = context.facts.activities;
    this.#containerId = assignment.containerId;
    this.#observer = observer ?? null;
    this.#nextDay = from;
  }

  /** Days are asked for in ascending order. */
  moveTo(day: Day): void {
    this.type = 0;
    if (day < this.#nextDay) return;
    this.activity = null;
    const samples = this.#samples.take(day);
    const transfers = this.#transfers.take(day);
    const treatments = this.#treatments.take(day);
    const manual = this.#manual.take(day);
    this.#nextDay = Math.min(
      this.#samples.nextDay,
      this.#transfers.nextDay,
      this.#treatments.nextDay,
      this.#manual.nextDay,
    );
    const measured = transfers.filter(isMeasured);
    if (this.#observer !== null) {
      const found = samples.length + transfers.length + treatments.length + manual.length;
      if (found > 0) this.#observer.offers(candidatesOf(samples, measured, treatments, manual));
    }
    if (this.#set(SAMPLE, sampleWeight(samples))) return;
    if (this.#set(TRANSFER, transferWeight(measured))) this.activity = this.#activityOfTransfers(measured);
    else if (this.#set(VACCINATION, treatmentWeight(treatments))) this.activity = this.#activityOn(day);
    else this.#set(MANUAL, manualWeight(manual));
  }

  #set(type: number, weight: number): boolean {
    if (Number.isNaN(weight)) return false;
    this.type = type;
    this.weight = weight;
    this.confidence = CONFIDENCE_OF[type]!;
    return true;
  }

  #activityOfTransfers(transfers: readonly TransferFact[]): string | null {
    const workflows = new Set(transfers.map(({ workflowId }) => workflowId));
    workflows.delete(null);
    return named(this.#activities.find((a) => a.completed && workflows.has(a.workflowId)));
  }

  #activityOn(day: Day): string | null {
    return named(
      this.#activities.find(
        (activity) =>
          activity.completed &&
          activity.completedDay === day &&
          (activity.containerId === null || activity.containerId === this.#containerId) &&
          LED_TO_VACCINATION.has(activity.activityType),
      ),
    );
  }
}

/** All that could anchor a day, each with the weight that it would give. */
function candidatesOf(
  samples: readonly GrowthSampleFact[],
  measured: readonly MeasuredTransfer[],
  treatments: readonly DatedTreatment[],
  manual: readonly ManualAnchorFact[],
): AnchorCandidate[] {
  const weighings = treatments.map(({ weighing }) => weighing);
  const candidates: AnchorCandidate[] = [
    { type: 'growth_sample', facts: samples, weight: sampleWeight(samples) },
    { type: 'transfer', facts: measured, weight: transferWeight(measured) },
    { type: 'vaccination', facts: weighings, weight: treatmentWeight(treatments) },
    { type: 'manual', facts: manual, weight: manualWeight(manual) },
  ];
  return candidates.filter(({ facts }) => facts.length > 0);
}

function named(activity: PlannedActivityFact | undefined): string | null {
  return activity === undefined ? null : `${activity.activityType}:${activity.id}`;
}

/** Those of the assignment, and those of its batch and container that name none. */
function treatmentsHere(
  treatments: readonly WeighingTreatment[],
  assignment: AssignmentFact,
): DatedTreatment[] {
  return treatments
    .filter(({ treatment }) =>
      treatment.assignmentId === null
        ? treatment.containerId === assignment.containerId && treatment.batchId === assignment.batchId
        : treatment.assignmentId === assignment.id,
    )
    .map((weighing) => ({ day: weighing.treatment.day, weighing }));
}

/** Pooled by size, or equally where a size is unknown; one division at the end. NaN: nothing to pool. */
function pool(weights: readonly number[], sizes: readonly (number | null)[], unit: number): number {
  if (weights.length === 0) return Number.NaN;
  const known = sizes.every((size) => size !== null && size > 0);
  let weighted = 0;
  let total = 0;
  weights.forEach((weight, i) => {
    const size = known ? sizes[i]! : 1;
    weighted += size * weight;
    total += size;
  });
  return weighted / (total * unit);
}

function sampleWeight(samples: readonly GrowthSampleFact[]): number {
  const weighed = samples.filter(({ weightE4 }) => weightE4 !== null && weightE4 > 0);
  const sizes = weighed.map(({ sampleSize }) => sampleSize);
  return pool(
    weighed.map(({ weightE4 }) => weightE4!),
    sizes,
    10_000,
  );
}

function transferWeight(transfers: readonly MeasuredTransfer[]): number {
  const sizes = transfers.map(({ sampleSize }) => sampleSize);
  const weights = transfers.map(({ weightE4, selection }) => weightE4 * SELECTION_PERCENT[selection]);
  return pool(weights, sizes, 1_000_000);
}

/** The mean over all fish weighed at all the treatments of the day. */
function treatmentWeight(treatments: readonly DatedTreatment[]): number {
  let sum = 0;
  let count = 0;
  for (const { weighing } of treatments) {
    const { includesWeighing, samplingEventId } = weighing.treatment;
    if (!includesWeighing || samplingEventId === null) continue;
    sum += weighing.sumE4;
    count += weighing.count;
  }
  return count > 0 ? sum / (count * 10_000) : Number.NaN;
}

function manualWeight(anchors: readonly ManualAnchorFact[]): number {
  const weights = anchors.map(({ weightE4 }) => weightE4).filter((weight) => weight > 0);
  return pool(
    weights,
    weights.map(() => null),
    10_000,
  );
}

/** Facts of one day after the other. */
class DayGroups<T extends Dated> {
  readonly #facts: readonly T[];
  #at = 0;

  constructor(facts: readonly T[], from: Day) {
    this.#facts = byDay(facts);
    while (this.nextDay < from) this.#at++;
  }

  get nextDay(): Day {
    return this.#facts[this.#at]?.day ?? NEVER;
  }

  /** The facts of a day that is not before the next one's. */
  take(day: Day): readonly T[] {
    const start = this.#at;
    while (this.nextDay === day) this.#at++;
    return this.#at === start ? [] : this.#facts.slice(start, this.#at);
  }
}
