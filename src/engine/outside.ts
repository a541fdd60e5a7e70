/**
 * What names an assignment on a day of which it has no row, by facts alone: no rule reads it, so it is told (R18, R19,
 * R22). Once a day and kind: a loader may have added a day's events up.
 */
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { AssignmentFacts } from '../domain/engine-input.ts';
import type { Anomaly } from '../domain/rows.ts';
import type { Stay } from './stay.ts';

interface Dated {
  readonly day: Day;
}

export function eventsOutside(stay: Stay, facts: AssignmentFacts, { from, to }: DayWindow): Anomaly[] {
  const { id } = stay.assignment;
  const anomalies: Anomaly[] = [];
  const tell = <E extends Dated>(rule: string, events: readonly E[], say: (those: E[]) => string | null) => {
    const outside = events.filter(({ day }) => day >= from && day <= to && !stay.contains(day));
    if (outside.length === 0) return;
    for (const [day, those] of Map.groupBy(outside, (event) => event.day)) {
      const what = say(those);
      if (what === null) continue;
      const detail = `${what} of a day without a row`;
      anomalies.push({ assignmentId: id, day, rule, code: 'event_outside_stay', detail });
    }
  };
  tell('R18', facts.mortality, (events) => `${sum(events, ({ count }) => count)} deaths`);
  tell('R19', facts.feedings, (events) => `${sum(events, ({ amountE4 }) => amountE4) / 10_000} kg of feed`);
  tell('R22', facts.samples, (samples) =>
    samples.some(({ weightE4 }) => weightE4 !== null && weightE4 > 0) ? 'a growth sample' : null,
  );
  const treatments = facts.treatments
    .filter(({ treatment }) => treatment.assignmentId === id)
    .map((weighing) => ({ day: weighing.treatment.day, weighing }));
  tell('R22', treatments, (those) =>
    those.some(({ weighing }) => weighing.count > 0) ? 'the weighing at a treatment' : null,
  );
  tell('R22', facts.manualAnchors, () => 'an anchor that was entered');
  return anomalies;
}

function sum<E>(events: readonly E[], amountOf: (event: E) => number): number {
  return events.reduce((total, event) => total + amountOf(event), 0);
}
