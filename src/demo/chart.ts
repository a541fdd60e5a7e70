/** What a manager wants to see at the end: the batch's weight as a line, and its figures by month. */
import asciichart from 'asciichart';
import Table from 'cli-table3';

/** A batch's day: its assignments together. */
export interface BatchDay {
  /** ISO date. */
  readonly date: string;
  /** Weighted by population, g. */
  readonly weightG: number;
  readonly population: number;
  readonly biomassKg: number;
  readonly deaths: number;
  readonly feedKg: number;
  readonly assignments: number;
}

/** Weight over time, at most `width` points wide. */
export function weightChart(days: readonly BatchDay[], width = 90, height = 14): string {
  if (days.length === 0) return '(no rows yet)';
  const points = Math.min(width, days.length);
  const series = Array.from({ length: points }, (_, i) => {
    const at = Math.round((i * (days.length - 1)) / Math.max(points - 1, 1));
    return days[at]?.weightG ?? 0;
  });
  const line = asciichart.plot(series, { height, format: (g: number) => `${g.toFixed(0).padStart(8)} g` });
  const first = days[0]?.date ?? '';
  const last = days.at(-1)?.date ?? '';
  return `${line}\n${' '.repeat(12)}${first}${last.padStart(Math.max(points - first.length, last.length + 1))}`;
}

/** One line for the last day of every `stepMonths`-th month, and one for the last day of all. */
export function batchTable(days: readonly BatchDay[], stepMonths = 3): string {
  const table = new Table({
    head: ['date', 'containers', 'weight g', 'population', 'biomass kg', 'deaths', 'feed kg'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const [i, day] of days.entries()) {
    const month = Number(day.date.slice(5, 7));
    const endsMonth = days[i + 1]?.date.slice(0, 7) !== day.date.slice(0, 7);
    if (!(endsMonth && month % stepMonths === 0) && i !== days.length - 1) continue;
    table.push([
      day.date,
      day.assignments,
      day.weightG.toFixed(2),
      day.population.toLocaleString('en'),
      day.biomassKg.toLocaleString('en', { maximumFractionDigits: 0 }),
      day.deaths,
      day.feedKg.toFixed(2),
    ]);
  }
  return table.toString();
}
