/** Holds an assignment's stored rows against its facts and against each other. Computes no weight: see deep.ts. */
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { AssignmentFacts } from '../domain/engine-input.ts';
import { ANCHOR_TYPES } from '../domain/rows.ts';
import type { StoredRows } from '../domain/rows.ts';
import { AnchorCursor } from '../engine/anchors.ts';
import type { BatchContext } from '../engine/context.ts';
import { BIOMASS_LIMIT_KG } from '../engine/day.ts';
import { round2 } from '../engine/round.ts';
import type { Stay } from '../engine/stay.ts';
import type { Bands } from './checks.ts';
import { UNREADABLE } from './codes.ts';
import type { Report, Subject } from './report.ts';

export interface JudgeInput {
  readonly subject: Subject;
  readonly context: BatchContext;
  readonly stay: Stay;
  readonly facts: AssignmentFacts;
  /** null: none stored. */
  readonly stored: StoredRows | null;
  readonly bands: Bands;
}

export function judgeAssignment(input: JudgeInput, report: Report): void {
  const { stay, context, stored } = input;
  const interval = stay.interval(context.horizon);
  judgeDays(input, interval, report);
  if (stored === null || interval === null) return;
  const movements = movementsOf(stay);
  for (let at = 0; at < stored.length; at += 1) {
    const day = stored.firstDay + at;
    if (stored.present[at] !== 1 || day < interval.from || day > interval.to) continue;
    judgeRow(input, stored, at, report);
    judgeStep(input, stored, at, day === interval.from, movements, report);
  }
  judgeAnchors(input, stored, interval, report);
  judgeCount(input, stored, interval, report);
}

function judgeDays({ subject, stored }: JudgeInput, interval: DayWindow | null, report: Report): void {
  const has = (day: Day): boolean => stored?.present[day - stored.firstDay] === 1;
  for (let day = interval?.from ?? 1; day <= (interval?.to ?? 0); day += 1) {
    if (!has(day)) report.add('row_missing', subject, day, 'no row');
  }
  for (let at = 0; at < (stored?.length ?? 0); at += 1) {
    const day = (stored?.firstDay ?? 0) + at;
    const inside = interval !== null && day >= interval.from && day <= interval.to;
    if (has(day) && !inside) report.add('row_outside_stay', subject, day, 'a row outside the stay');
  }
}

/** What a row must be by itself. */
function judgeRow({ subject, context }: JudgeInput, rows: StoredRows, at: number, report: Report): void {
  const day = rows.firstDay + at;
  const [weight, population] = [rows.weight[at]!, rows.population[at]!];
  const dayNumber = day - context.facts.batch.startDay + 1;
  if (rows.dayNumbers[at] !== dayNumber) {
    report.add('day_number', subject, day, `day_number ${rows.dayNumbers[at]}, not ${dayNumber}`);
  }
  const biomass = round2(Math.min((population * weight) / 1000, BIOMASS_LIMIT_KG));
  if (!Object.is(rows.biomass[at], biomass)) {
    report.add(
      'columns_disagree',
      subject,
      day,
      `biomass_kg ${rows.biomass[at]}, population × weight is ${biomass}`,
    );
  } else if (!Object.is(rows.avgWeight[at], round2(weight))) {
    report.add('columns_disagree', subject, day, `avg_weight_g ${rows.avgWeight[at]}, carried is ${weight}`);
  }
  const [deaths, feed, fcr] = [rows.deaths[at]!, rows.feed[at]!, rows.fcr[at]!];
  const amounts = {
    carry_weight_g: weight,
    population,
    mortality_count: deaths,
    feed_kg: feed,
    observed_fcr: fcr,
  };
  for (const [name, value] of Object.entries(amounts)) {
    if (value < 0 || value === Infinity) report.add('value_out_of_range', subject, day, `${name} ${value}`);
  }
  const remainder = rows.remainder[at]!;
  if (!(Math.abs(remainder) <= 0.5)) {
    report.add('value_out_of_range', subject, day, `mortality_remainder ${remainder}`);
  }
  if (rows.confidences[at] === UNREADABLE || rows.origins[at] === UNREADABLE) {
    const which = rows.confidences[at] === UNREADABLE ? 'confidence_scores' : 'sources';
    report.add('confidence_out_of_range', subject, day, `${which} hold what no rule yields`);
  }
}

interface Movements {
  /** Arrivals less departures. */
  readonly net: ReadonlyMap<Day, number>;
  readonly arrivalDays: ReadonlySet<Day>;
}

function movementsOf(stay: Stay): Movements {
  const net = new Map<Day, number>();
  const add = (day: Day, count: number): void => void net.set(day, (net.get(day) ?? 0) + count);
  for (const { day, count } of stay.arrivals) add(day, count);
  for (const { day, count } of stay.departures) add(day, -count);
  return { net, arrivalDays: new Set(stay.arrivals.map(({ day }) => day)) };
}

/** What a row must be beside the one of the eve, or as the first. */
function judgeStep(
  { subject, stay, context, bands }: JudgeInput,
  rows: StoredRows,
  at: number,
  isFirst: boolean,
  { net, arrivalDays }: Movements,
  report: Report,
): void {
  const hasEve = at > 0 && rows.present[at - 1] === 1;
  if (!isFirst && !hasEve) return;
  const day = rows.firstDay + at;
  const before = isFirst ? stay.opening : rows.population[at - 1]!;
  const moved = net.get(day) ?? 0;
  const expected = Math.max(0, before + moved - rows.deaths[at]!);
  if (rows.population[at] !== expected) {
    const sum = `${before} ${moved < 0 ? '−' : '+'} ${Math.abs(moved)} moved − ${rows.deaths[at]} dead`;
    report.add(
      'population_breaks',
      subject,
      day,
      `population ${rows.population[at]}, but ${sum} = ${expected}`,
    );
  }
  if (isFirst) return;
  const [from, to] = [orderOf(context, rows.stageId[at - 1]!), orderOf(context, rows.stageId[at]!)];
  if (to < from)
    report.add('stage_backwards', subject, day, `stage ${rows.stageId[at - 1]} → ${rows.stageId[at]}`);
  if (rows.anchor[at] !== 0 || arrivalDays.has(day)) return;
  const [eve, weight] = [rows.weight[at - 1]!, rows.weight[at]!];
  const share = Math.abs(weight - eve) / eve;
  if (share > bands.jump)
    report.add('weight_jump', subject, day, `${eve} g → ${weight} g, ${percent(share)}`);
}

/** NaN for a stage that is not there: it compares with nothing. */
function orderOf({ facts }: BatchContext, stageId: number): number {
  return facts.stages.find(({ id }) => id === stageId)?.order ?? Number.NaN;
}

function judgeAnchors(
  { subject, context, stay, facts, bands }: JudgeInput,
  rows: StoredRows,
  interval: DayWindow,
  report: Report,
): void {
  const sourceWeight = (): undefined => undefined;
  const input = { context, facts, window: interval, stored: null, sourceWeight, cutOff: false };
  const anchors = new AnchorCursor(input, stay.assignment, interval.from);
  for (let day = interval.from; day <= interval.to; day += 1) {
    const at = day - rows.firstDay;
    anchors.moveTo(day);
    if (rows.present[at] !== 1) continue;
    const kept = rows.anchor[at]!;
    const weight = rows.weight[at]!;
    if (kept !== anchors.type || (anchors.type !== 0 && weight !== anchors.weight)) {
      const said = anchors.type === 0 ? 'no weighing' : `${ANCHOR_TYPES[anchors.type]} ${anchors.weight} g`;
      report.add(
        'anchor_missed',
        subject,
        day,
        `the facts: ${said}; the row: ${ANCHOR_TYPES[kept] ?? 'none'}, ${weight} g`,
      );
      continue;
    }
    if (kept === 0) continue;
    const residual = rows.residual[at]!;
    const share = Math.abs(residual) / (weight - residual);
    if (share > bands.residual) {
      const line = `${ANCHOR_TYPES[kept]} ${weight} g, expected ${weight - residual} g, ${percent(share)}`;
      report.add('residual_large', subject, day, line);
    }
  }
}

/**
 * Only of fish that are there now, and where the source maintains the count: one that still is what the stay began with
 * has not been touched since.
 */
function judgeCount(
  { subject, stay, bands }: JudgeInput,
  rows: StoredRows,
  interval: DayWindow,
  report: Report,
): void {
  const { isActive, departureDay, populationCount } = stay.assignment;
  if (!isActive || departureDay !== null || populationCount <= 0) return;
  const began = stay.arrivals.reduce(
    (sum, { day, count }) => sum + (day === stay.first ? count : 0),
    stay.opening,
  );
  const at = interval.to - rows.firstDay;
  if (populationCount === began || rows.present[at] !== 1) return;
  const population = rows.population[at]!;
  const share = Math.abs(population - populationCount) / populationCount;
  if (share <= bands.count) return;
  const line = `population ${population}, population_count ${populationCount}, ${percent(share)} apart`;
  report.add('count_differs', subject, interval.to, line);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
