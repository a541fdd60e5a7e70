/** R14 to R20, R23: who left, who died, what they ate, and how sure the row is. */
import { BIOMASS_LIMIT_KG } from '../engine/day.ts';
import type { EventsOfDay, Sharing } from '../engine/observe.ts';
import { dayToIso } from '../domain/day.ts';
import type { FactKind, Id } from '../domain/facts.ts';
import { fromE4, ref, refs, stageText, step } from './told.ts';
import type { Told } from './told.ts';
import type { FactRef, Step } from './types.ts';

export function countSteps(told: Told): Step[] {
  return [
    ...(told.trace.departures.length === 0 ? [] : [leaving(told)]),
    deaths(told),
    population(told),
    feed(told),
    conversion(told),
    stage(told),
    confidences(told),
  ];
}

function leaving({ trace }: Told): Step {
  const lines = trace.departures.map(({ by, count }) =>
    'lotId' in by
      ? `${count} fish leave with harvest lot ${by.lotId}`
      : `${count} fish leave by transfer ${by.id}: ${by.count} moved, ${by.deaths} died of it` +
        (by.destId === null ? '' : `, to assignment ${by.destId}`),
  );
  const facts = trace.departures.map(({ by }) =>
    'lotId' in by ? ref('harvest_lot', by.lotId) : ref('transfer', by.id),
  );
  return step('R14', lines, facts);
}

function deaths(told: Told): Step {
  const { events, there, expected, deaths: dead, remainder } = told.trace.deaths;
  const { start } = told.trace;
  const { scenario } = told.context.facts;
  if (events !== null) {
    const lines = eventLines(
      told,
      events,
      told.details.deaths,
      ({ count }) => count,
      (count) => `${count} dead`,
    );
    const most = events.amount > there ? `; no more than the ${there} that are there (R15)` : '';
    lines.push(`${dead} die, as recorded${most}; the mortality remainder stays ${remainder}`);
    return step('R15, R18', lines, eventFacts('mortality', told.details.deaths, events));
  }
  if (Number.isNaN(expected)) return step('R18', ['nobody dies: no event, and no mortality model']);
  const { mortalityStage } = start.stage.rows;
  const model = scenario?.mortality ?? null;
  const of =
    mortalityStage === null
      ? `${model?.ratePercent} % ${model?.frequency} of mortality model ${model?.id}`
      : `row ${mortalityStage.id} for “${mortalityStage.stageName}” of mortality model ${model?.id}: ` +
        overrideText(mortalityStage);
  return step(
    'R18',
    [
      `no event: ${start.population} × ${start.stage.deathRate} + remainder ${start.remainder} = ${expected} expected; ` +
        `${dead} die, remainder ${remainder}`,
      `rate a day by ${of}`,
    ],
    [...refs('mortality_model', [model]), ...refs('mortality_stage', [mortalityStage])],
  );
}

function overrideText({
  dailyPercent,
  weeklyPercent,
}: {
  dailyPercent: number | null;
  weeklyPercent: number | null;
}): string {
  if (dailyPercent !== null) return `${dailyPercent} % daily`;
  return weeklyPercent === null ? 'no rate, so the model’s own' : `${weeklyPercent} % weekly`;
}

function eventLines<E, S>(
  { stay }: Told,
  events: EventsOfDay<E, S>,
  named: readonly unknown[],
  amountOf: (event: E) => number,
  show: (amount: number) => string,
): string[] {
  const lines: string[] = [];
  if (events.named.length > 0) {
    const amount = events.named.reduce((sum, event) => sum + amountOf(event), 0);
    const count = named.length || events.named.length;
    lines.push(`${count === 1 ? 'one event names' : `${count} events name`} the assignment: ${show(amount)}`);
  }
  const { sharing } = events;
  if (sharing !== null) lines.push(sharingText(sharing, stay.assignment.id, show));
  return lines;
}

function sharingText(
  { events, total, members }: Sharing<unknown>,
  assignmentId: Id,
  show: (amount: number) => string,
): string {
  const mine = members.find((member) => member.assignmentId === assignmentId);
  const parts = members.map(({ assignmentId: id, ledger, share }) => `${id}: ${ledger} → ${show(share)}`);
  return (
    `${events.length === 1 ? 'one event names' : `${events.length} events name`} no assignment: ${show(total)} shared ` +
    `by the fish that the books hold (R7), assignment: fish → share: ${parts.join(', ')}; here ${show(mine?.share ?? 0)}`
  );
}

function eventFacts(
  kind: FactKind & ('mortality' | 'feeding'),
  named: readonly { readonly id: Id }[],
  { sharing }: EventsOfDay<unknown, { readonly id: Id }>,
): FactRef[] {
  return [...refs(kind, named), ...refs(kind, sharing?.events ?? [])];
}

function population({ trace, row }: Told): Step {
  const { start, arrivals, departures, deaths: dead, end } = trace;
  const came = arrivals.reduce((sum, { arrival }) => sum + arrival.count, 0);
  const left = departures.reduce((sum, { count }) => sum + count, 0);
  const count = Math.max(0, end.present);
  const floored = end.present < 0 ? ', less than none: 0' : '';
  const bounded = end.biomass > BIOMASS_LIMIT_KG ? ', the most that a row shows' : '';
  return step('R16', [
    `${start.population} + ${came} arrived − ${left} left − ${dead.deaths} dead = ${end.present} fish${floored}`,
    `${count} × ${row.carry_weight_g} g ÷ 1000 = ${end.biomass} kg, in the row ${row.biomass_kg} kg${bounded}`,
  ]);
}

function feed(told: Told): Step {
  const { feed: fed } = told.trace.end;
  if (fed === null) return step('R19', ['nothing was fed']);
  const lines = eventLines(
    told,
    fed,
    told.details.feedings,
    ({ amountE4 }) => amountE4,
    (amountE4) => `${fromE4(amountE4)} kg`,
  );
  lines.push(`${fromE4(fed.amount)} kg fed`);
  return step('R19', lines, eventFacts('feeding', told.details.feedings, fed));
}

function conversion({ trace, row }: Told): Step {
  const { end, arrivals } = trace;
  const arrived =
    arrivals.map(({ arrival, weight: each }) => `${arrival.count} × ${each}`).join(' + ') || '0';
  const kg = fromE4(end.feed?.amount ?? 0);
  const fcr = row.observed_fcr;
  const lines = [
    `grown: ${end.biomass} − ${end.biomassBefore} − (${arrived}) ÷ 1000 + ${end.gone} × ${row.carry_weight_g} ÷ 1000 = ${end.gain} kg`,
  ];
  if (fcr === null) lines.push('no feed conversion: it needs feed, and more than 1 kg of growth');
  else lines.push(`feed conversion ${kg} ÷ ${end.gain} = ${fcr}, at most 10`);
  return step('R17', lines);
}

function stage({ trace, row }: Told): Step {
  const { stage: before, nextStage: after } = trace.end;
  const facts = [
    ...refs('stage', [before.rows.stage]),
    ...refs('stage_constraint', [before.rows.constraint]),
  ];
  if (before !== after) {
    const line = `${row.carry_weight_g} g reach the maximum of ${stageText(before)}, ${before.maxWeight} g: ${stageText(after)} from now on`;
    return step('R20', [line], [...facts, ...refs('stage', [after.rows.stage])]);
  }
  const limit = Number.isFinite(before.maxWeight)
    ? `below its maximum, ${before.maxWeight} g`
    : 'which has no maximum or no successor';
  return step('R20', [`stays in ${stageText(before)}, ${limit}`], facts);
}

function confidences({ trace, row }: Told): Step {
  const { sources } = row;
  const texts = Object.entries(row.confidence_scores).map(
    ([name, score]) => `${name} ${score} (${sources[name]})`,
  );
  return step('R23', [`the row of ${dayToIso(trace.start.day)}; how sure: ${texts.join(', ')}`]);
}
