/** The week aggregates (R23 by ISO week). */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { Session } from './session.ts';

/** A week of an assignment or of a batch; what there was nothing of is null. Definitions: migrations/1006_weeks.sql. */
export interface Week {
  /** Its Monday. */
  readonly week: Day;
  readonly avgWeightG: number;
  /** Population and biomass are of this day. */
  readonly lastDate: Day;
  readonly population: number;
  readonly biomassKg: number;
  readonly mortalityCount: number;
  readonly feedKg: number;
  readonly observedFcr: number | null;
  readonly tempC: number | null;
  readonly lowestConfidence: Readonly<Record<'weight' | 'temp' | 'mortality' | 'feed' | 'fcr', number>>;
  readonly residuals: { readonly count: number; readonly meanG: number | null; readonly rmsG: number | null };
}

type Row = readonly [
  number, number, number, number, number, number, number, number | null, number | null,
  number, number, number, number, number, number, number | null, number | null,
]; // prettier-ignore

const COLUMNS = `week, avg_weight_g, last_date, population, biomass_kg, mortality_count, feed_kg, observed_fcr, temp_c,
  weight_confidence, temp_confidence, mortality_confidence, feed_confidence, fcr_confidence,
  residuals, residual_mean_g, residual_rms_g`;

export function assignmentWeeks(session: Session, assignmentId: Id): Promise<Week[]> {
  return weeksOf(session, 'assignment_week', 'assignment_id', assignmentId);
}

export function batchWeeks(session: Session, batchId: Id): Promise<Week[]> {
  return weeksOf(session, 'batch_week', 'batch_id', batchId);
}

async function weeksOf(session: Session, view: string, key: string, id: Id): Promise<Week[]> {
  const rows = await session.rows<Row>(
    `SELECT ${COLUMNS} FROM ${session.t(view)} WHERE ${key} = $1 ORDER BY week`,
    [id],
  );
  return rows.map(
    ([week, avgWeightG, lastDate, population, biomassKg, deaths, feedKg, fcr, tempC, ...rest]) => {
      const [weight, temp, mortality, feed, fcrConfidence, count, meanG, rmsG] = rest;
      return {
        week,
        avgWeightG,
        lastDate,
        population,
        biomassKg,
        mortalityCount: deaths,
        feedKg,
        observedFcr: fcr,
        tempC,
        lowestConfidence: {
          weight,
          temp,
          mortality,
          feed,
          fcr: fcrConfidence,
        },
        residuals: {
          count,
          meanG,
          rmsG,
        },
      };
    },
  );
}
