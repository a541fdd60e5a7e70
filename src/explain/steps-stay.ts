/** R1 to R8: the stay, what the day continues from, and the scenario. */
import { dayToIso } from '../domain/day.ts';
import type { ScenarioBundle } from '../domain/engine-input.ts';
import { openingWeightOf } from '../engine/models.ts';
import type { OpeningWeight } from '../engine/models.ts';
import { endText } from './ends.ts';
import { grams, ref, refs, stageText, step } from './told.ts';
import type { Told } from './told.ts';
import type { FactRef, Step } from './types.ts';

export function staySteps(told: Told): Step[] {
  const carried = told.isFirst ? [openingCount(told), openingWeight(told)] : [carry(told)];
  return [interval(told), dayNumber(told), ...carried, scenario(told)];
}

function interval({ stay, context, details }: Told): Step {
  const { assignment } = stay;
  const { batch } = context.facts;
  const where = details.containerName === null ? '' : ` “${details.containerName}”`;
  const cut =
    stay.last > context.horizon ? `; rows end at the horizon, ${dayToIso(context.horizon)} (R2)` : '';
  return step(
    'R1',
    [
      `batch ${batch.batchNumber ?? batch.id} in container ${assignment.containerId}${where}: the first day is ` +
        `${dayToIso(stay.first)}, the later of assignment_date ${dayToIso(assignment.startDay)} and the batch’s ` +
        `start_date ${dayToIso(batch.startDay)}; ${endText(stay)}${cut}`,
    ],
    [ref('assignment', assignment.id), ref('batch', batch.id)],
  );
}

function dayNumber({ trace, context }: Told): Step {
  const { day, dayNumber: number } = trace.start;
  const start = dayToIso(context.facts.batch.startDay);
  return step('R3', [`day ${number} since the batch’s start: ${dayToIso(day)} − ${start} + 1`]);
}

function carry({ trace, continued }: Told): Step {
  const { day, weight, population, remainder, stage } = trace.start;
  const from = continued ? 'as the row of the eve stands' : 'computed from the first day on';
  return step('R4', [
    `continues ${dayToIso(day - 1)}, ${from}: ${grams(weight)}, ${population} fish, mortality remainder ${remainder}, ` +
      stageText(stage),
  ]);
}

function openingCount({ stay, context }: Told): Step {
  const { populationCount, id } = stay.assignment;
  const { case: which, count, left, arrived, died } = stay.openedBy;
  const floored = count < 0 ? '; less than none: 0 is taken' : '';
  const outgoing = refs('transfer', context.outgoing(id));
  switch (which) {
    case 'a':
      return step('R5', [
        'case a: opens with 0 fish, for the first arrive by transfer or delivery on the first day',
      ]);
    case 'b':
      return step(
        'R5',
        [`case b: opens with population_count ${populationCount} as it stands, for departure_date is set`],
        [ref('assignment', id)],
      );
    case 'c':
      return step(
        'R5',
        [
          `case c: opens with population_count ${populationCount} + ${left} that left − ${arrived} that arrived later ` +
            `+ ${died} recorded dead = ${count} fish${floored}`,
        ],
        [ref('assignment', id), ...outgoing],
      );
  }
}

const OPENING_TEXTS: Readonly<Record<OpeningWeight['from'], string>> = {
  assignment: 'the assignment’s avg_weight_g',
  constraint: 'min_weight_g of the stage’s constraint',
  scenario: 'the scenario’s initial_weight',
  stage: 'the stage’s expected_weight_min_g',
  nothing: 'nothing says, so 1 g',
};

function openingWeight({ stay, context, trace }: Told): Step {
  const opening = openingWeightOf(stay.assignment, context.models);
  const { rows } = trace.start.stage;
  const sources: Readonly<Record<OpeningWeight['from'], readonly FactRef[]>> = {
    assignment: [ref('assignment', stay.assignment.id)],
    constraint: refs('stage_constraint', [rows.constraint]),
    scenario: refs('scenario', [context.facts.scenario?.scenario ?? null]),
    stage: refs('stage', [rows.stage]),
    nothing: [],
  };
  return step(
    'R6',
    [
      `opens at ${grams(opening.weight)}: ${OPENING_TEXTS[opening.from]}; in ${stageText(trace.start.stage)}, the assignment’s`,
    ],
    sources[opening.from],
  );
}

const FOLLOWED_TEXTS: Readonly<Record<ScenarioBundle['by'], string>> = {
  pin: 'pinned by the batch',
  run: 'of the batch’s pinned projection run',
  newest: 'the batch’s newest',
};

function scenario({ context }: Told): Step {
  const bundle = context.facts.scenario;
  if (bundle === null)
    return step('R8', ['follows no scenario: no model grows the fish, and none lets them die']);
  const { scenario: followed, by, tgc, mortality } = bundle;
  const models = [
    tgc === null ? 'no TGC model' : `TGC model ${tgc.id}`,
    mortality === null ? 'no mortality model' : `mortality model ${mortality.id}`,
  ];
  return step(
    'R8',
    [`follows scenario ${followed.id} “${followed.name ?? ''}”, ${FOLLOWED_TEXTS[by]}: ${models.join(', ')}`],
    [ref('scenario', followed.id), ...refs('tgc_model', [tgc]), ...refs('mortality_model', [mortality])],
  );
}
