/** R10 to R13, R21, R22: what the fish weigh at the end of the day. */
import { dayToIso } from '../domain/day.ts';
import { TEMP_SOURCES } from '../domain/rows.ts';
import type { AnchorType } from '../domain/rows.ts';
import { profileNeighbours } from '../engine/profile.ts';
import type { AnchorCandidate, ArrivalWeightFrom } from '../engine/observe.ts';
import type { SeenArrival } from './recorder.ts';
import { fromE4, grams, ref, refs, stageText, step } from './told.ts';
import type { Told } from './told.ts';
import type { FactRef, Step } from './types.ts';

export function weightSteps(told: Told): Step[] {
  const { arrivals, candidates } = told.trace;
  return [
    ...(arrivals.length === 0 ? [] : [arriving(told)]),
    temperature(told),
    growth(told),
    ...(candidates.length === 0 ? [] : [anchors(told)]),
    ...(told.trace.weight.anchorType === null ? [] : [anchored(told)]),
  ];
}

const ARRIVAL_TEXTS: Readonly<Record<ArrivalWeightFrom, string>> = {
  measured: 'measured_avg_weight_g of the fish that moved',
  source_row: 'the source’s row of the eve',
  source_average: 'avg_weight_g of the source, which has no row of the eve',
  opening: 'the opening weight',
};

function arriving({ trace }: Told): Step {
  const { start, arrivals, weight } = trace;
  const came = arrivals.reduce((sum, { arrival }) => sum + arrival.count, 0);
  const terms = arrivals.map((seen) => `${seen.arrival.count} × ${seen.weight}`).join(' + ');
  const mixed =
    start.population + came > 0
      ? `mixed by count: (${start.population} × ${start.weight} + (${terms})) ÷ ${start.population + came} = ${grams(weight.mixed)}`
      : `nobody is there: the weight stays ${grams(weight.mixed)}`;
  const facts = arrivals.flatMap(({ arrival }) => [
    ...refs('transfer', [arrival.transfer]),
    ...refs('egg_delivery', [arrival.delivery]),
  ]);
  return step('R10, R11', [...arrivals.map((seen) => arrivalText(seen, start.day)), mixed], facts);
}

function arrivalText({ arrival, weight, from }: SeenArrival, day: number): string {
  const { transfer, delivery, count, dated } = arrival;
  const what =
    transfer === null
      ? `of egg delivery ${delivery?.id}`
      : `by transfer ${transfer.id} from assignment ${transfer.sourceId}`;
  const earlier = dated === day ? '' : `, dated ${dayToIso(dated)}, before the first day`;
  return `${count} fish arrive ${what}${earlier}, at ${grams(weight)}: ${ARRIVAL_TEXTS[from]}`;
}

function temperature(told: Told): Step {
  const { value, source, readings } = told.trace.warmth;
  const name = TEMP_SOURCES[source] ?? 'none';
  const { scenario } = told.context.facts;
  if (name === 'none') {
    return step('R21', ['no temperature: no reading within 7 days, and no profile']);
  }
  if (name === 'profile') {
    const profile = told.context.models.profile;
    const { dayNumber } = told.trace.start;
    const near = profile === null ? [] : profileNeighbours(profile, dayNumber);
    const points = near.map(({ dayNumber: at, temperature: t }) => `${t} °C on day ${at}`).join(' and ');
    return step(
      'R21',
      [
        `${value} °C by profile ${scenario?.tgc?.profileId} at day ${dayNumber}: ${points}; no reading within 7 days`,
      ],
      [{ ...ref('profile', scenario?.tgc?.profileId ?? 0) }],
    );
  }
  const how = {
    measured: 'measured that day',
    interpolated: 'interpolated between the nearest days measured',
    nearest_before: 'of the nearest day before; none within 7 days after',
    nearest_after: 'of the nearest day after; none within 7 days before',
  }[name];
  const means = readings.flatMap(({ day, sumE4, count }) => [
    `${dayToIso(day)}: mean of ${count} readings, ${fromE4(sumE4)} ÷ ${count} = ${sumE4 / (count * 10_000)} °C` +
      parameters(told, day),
  ]);
  return step('R21', [`${value} °C, ${how}`, ...means]);
}

/** Readings have no ids worth listing: container, parameter and day find them. */
function parameters({ details, stay }: Told, day: number): string {
  const ids = details.readings.filter((reading) => reading.day === day).map(({ parameterId }) => parameterId);
  if (ids.length === 0) return '';
  return `; environmental_environmentalreading of container ${stay.assignment.containerId}, parameter ${ids.join(', ')}`;
}

function growth({ trace, context }: Told): Step {
  const { weight, warmth, start } = trace;
  const { mixed, grown, growth: by } = weight;
  const { scenario } = context.facts;
  const { tgcStage } = start.stage.rows;
  const of = `TGC model ${scenario?.tgc?.id}${tgcStage === null ? '' : `, its row ${tgcStage.id} for “${tgcStage.stageName}”`}`;
  const facts = [...refs('tgc_model', [scenario?.tgc ?? null]), ...refs('tgc_stage', [tgcStage])];
  if (by === null)
    return step('R12', [`the weight stays ${grams(grown)}: ${whyNotGrown(trace, scenario?.tgc == null)}`]);
  const warm = warmth.value > 0 ? warmth.value : 0;
  const formula =
    by.code === 1
      ? `${mixed} + ${by.tgc} × ${warm}^${by.n} × ${mixed}^${by.m}`
      : `(∛${mixed} + ${by.c} × ${warm})³`;
  const below = warm === warmth.value ? '' : ' (below 0 °C counts as 0)';
  const name = by.code === 1 ? 'power' : 'cube-root';
  return step(
    'R9, R12',
    [
      `grows by ${name} to ${formula} = ${grams(grown)}${below}`,
      `coefficients for ${stageText(start.stage)}: ${of}`,
    ],
    facts,
  );
}

function whyNotGrown({ warmth, start }: Told['trace'], noModel: boolean): string {
  if (noModel) return 'no TGC model';
  if (Number.isNaN(warmth.value)) return 'no temperature';
  return start.stage.growth === null ? 'no model for the stage' : 'the model leads to no possible weight';
}

const ANCHOR_TEXTS: Readonly<Record<AnchorCandidate['type'], string>> = {
  growth_sample: 'growth samples',
  transfer: 'fish measured as they left',
  vaccination: 'fish weighed at a treatment',
  manual: 'an operator’s own entry',
};

function anchors({ trace, details }: Told): Step {
  const winner = trace.weight.anchorType;
  const lines = trace.candidates.flatMap((candidate) => {
    const { type, weight } = candidate;
    const fate = verdict(type, weight, winner);
    return [`${type}, ${ANCHOR_TEXTS[type]}: ${pooling(candidate)}; ${fate}`];
  });
  const facts = trace.candidates.flatMap(({ type, facts: all }): FactRef[] => {
    switch (type) {
      case 'growth_sample':
        return refs('growth_sample', all);
      case 'transfer':
        return refs('transfer', all);
      case 'vaccination':
        return [
          ...all.map(({ treatment }) => ref('treatment', treatment.id)),
          ...refs(
            'fish_observation',
            details.weighed.filter((fish) =>
              all.some((one) => one.treatment.samplingEventId === fish.samplingEventId),
            ),
          ),
        ];
      case 'manual':
        return refs('manual_anchor', all);
    }
  });
  return step('R22', lines, facts);
}

function verdict(type: AnchorType, weight: number, winner: AnchorType | null): string {
  if (Number.isNaN(weight)) return 'no weight, so no anchor';
  return type === winner ? 'it anchors the day' : `passed over for ${winner}`;
}

/** The arithmetic of the pooled weight, in the order in which it was computed. */
function pooling(candidate: AnchorCandidate): string {
  const result = Number.isNaN(candidate.weight) ? '' : ` = ${grams(candidate.weight)}`;
  switch (candidate.type) {
    case 'growth_sample':
      return pooled(candidate.facts.map((fact) => ({ ...fact, size: fact.sampleSize }))) + result;
    case 'transfer':
      return (
        pooled(
          candidate.facts.map((fact) => ({
            ...fact,
            size: fact.sampleSize,
            times: SELECTED[fact.selection],
          })),
        ) + result
      );
    case 'vaccination': {
      const counted = candidate.facts.filter(({ count }) => count > 0);
      const fish = counted.reduce((sum, { count }) => sum + count, 0);
      const total = counted.reduce((sum, { sumE4 }) => sum + sumE4, 0);
      return `${fish} fish weighing ${fromE4(total)} g together${result}`;
    }
    case 'manual':
      return pooled(candidate.facts.map((fact) => ({ ...fact, size: null }))) + result;
  }
}

const SELECTED = { AVERAGE: '', LARGEST: ' × 0.88 (LARGEST)', SMALLEST: ' × 1.12 (SMALLEST)' } as const;

interface Part {
  readonly id: number;
  readonly weightE4: number | null;
  readonly size: number | null;
  readonly times?: string;
}

/** Parts without a weight do not count; a size that counts is that of all parts, or of none. */
function pooled(parts: readonly Part[]): string {
  const weighed = parts.filter(({ weightE4 }) => weightE4 !== null && weightE4 > 0);
  if (weighed.length === 0) return 'none with a weight';
  const bySize = weighed.length > 1 && weighed.every(({ size }) => size !== null && size > 0);
  const terms = weighed.map(
    ({ id, weightE4, size, times }) =>
      `${bySize ? `${size} × ` : ''}${fromE4(weightE4 ?? 0)}${times ?? ''} (${id})`,
  );
  if (weighed.length === 1) return terms.join('');
  return `${terms.join(' + ')}, pooled ${bySize ? 'by sample size' : 'equally, for a size is unknown'}`;
}

function anchored({ trace }: Told): Step {
  const { anchorType, anchor, grown, activity } = trace.weight;
  const led = activity === null ? '' : `; ${activity} led to it`;
  return step('R13', [
    `the ${anchorType} anchor replaces ${grams(grown)}: ${grams(anchor)}, residual ${anchor} − ${grown} = ${anchor - grown}${led}`,
  ]);
}
