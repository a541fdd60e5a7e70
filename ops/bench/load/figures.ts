/** A report as figures. Pure. */
import type { Figure } from '../bench.ts';
import { median } from '../bench.ts';
import type { LoadReport } from './measure.ts';
import type { MemoryOfProcess } from './memory.ts';
import type { Loaded } from './phases.ts';
import type { Followed } from './probes.ts';
import { DECODE_TO_TOPIC, quantilesOf } from './stages.ts';

const AIM = { medianMs: 100, p99Ms: 300 };

export function figuresOf(report: LoadReport): readonly Figure[] {
  const { capacity, rate, idle, half, full, memory } = report;
  const most: Figure[] =
    capacity === null
      ? []
      : [{ what: 'ingested while work always waited', value: capacity, unit: 'rows/s', note: 'all roles in one process' }]; // prettier-ignore
  return [
    ...most,
    loadFigure('full load', rate, full),
    loadFigure('half load', rate / 2, half),
    ...stageFigures('idle', idle, false),
    ...stageFigures('half load', half, true),
    ...stageFigures('full load', full, false),
    ...memory.map(memoryFigure),
  ];
}

function loadFigure(what: string, asked: number, { written, growth, largest }: Loaded): Figure {
  const waiting = `at most ${largest.waiting} rows and dirt of ${Math.round(largest.dirtAgeMs)} ms waited`;
  const grew = `which changed by ${Math.round(growth)} rows/s`;
  const short = written < asked * 0.97 ? `; ${Math.round(asked)} were meant` : '';
  return { what, value: written, unit: 'rows/s', note: `${waiting}, ${grew}${short}` };
}

function stageFigures(load: string, { seen, lost }: Followed, aimed: boolean): Figure[] {
  const missing = lost === 0 ? '' : `; ${lost} not seen`;
  return quantilesOf(seen).flatMap(({ stage, median: value, p90, p99 }): Figure[] => {
    const note = `90 %: ${ms(p90)}, 99 %: ${ms(p99)}; ${seen.length} changes${missing}`;
    const figure: Figure = { what: `${load}, ${stage}`, value, unit: 'ms', note };
    if (!aimed || stage !== DECODE_TO_TOPIC) return [figure];
    const { medianMs, p99Ms } = AIM;
    const aim = { text: `median < ${medianMs}, 99 % < ${p99Ms} ms`, met: value < medianMs && p99 < p99Ms };
    return [{ ...figure, aim }];
  });
}

/** Growth is told from the second quarter on: what a process takes at first is not what it goes on taking. */
function memoryFigure({ name, mb }: MemoryOfProcess): Figure {
  const quarter = Math.ceil(mb.length / 4);
  const [early, late] = [median(mb.slice(quarter, 2 * quarter)), median(mb.slice(-quarter))];
  return {
    what: `resident memory at full load, ${name}`,
    value: late,
    unit: 'MB',
    note: `last quarter’s median; second’s: ${Math.round(early)}, at first ${Math.round(mb[0] ?? 0)}, at most ${Math.round(Math.max(...mb))}`, // prettier-ignore
  };
}

function ms(value: number): string {
  return value >= 100 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`;
}
