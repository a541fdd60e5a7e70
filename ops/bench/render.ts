/** Figures as tables: for a terminal and for RESULTS.md. Pure. */
import type { Bench, Figure } from './bench.ts';

export interface Outcome {
  readonly bench: Pick<Bench, 'name' | 'about'>;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  /** Why there are no figures. */
  readonly failure: string | null;
}

export interface Machine {
  readonly cores: string;
  readonly memory: string;
  readonly system: string;
  readonly versions: readonly string[];
  readonly load: string;
}

export interface Run {
  readonly machine: Machine;
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly outcomes: readonly Outcome[];
}

export const HEAD = ['what', 'measured', 'against its limit', 'aim', 'note'] as const;

export function resultsPage({ machine, date, commit, command, outcomes }: Run): string {
  return [
    '# Results',
    '',
    `\`${command}\` of ${date}, at ${commit}. Written by the command: do not edit.`,
    '',
    `- ${machine.cores}, ${machine.memory}, ${machine.system}`,
    `- ${machine.versions.join(', ')}`,
    `- load average before each: ${machine.load}`,
    '',
    ...outcomes.flatMap(section),
  ].join('\n');
}

function section({ bench, seconds, figures, failure }: Outcome): string[] {
  const title = [`## ${bench.name}`, '', `${bench.about} ${seconds.toFixed(0)} s.`, ''];
  if (failure !== null) return [...title, `Failed: ${failure.split('\n')[0] ?? ''}`, ''];
  const rows = figures.map((figure) => `| ${cellsOf(figure).join(' | ')} |`);
  return [...title, `| ${HEAD.join(' | ')} |`, '|---|--:|--:|---|---|', ...rows, ''];
}

export function cellsOf({ what, value, unit, ratio, aim, note }: Figure): string[] {
  return [
    what,
    `${numberText(value)} ${unit}`,
    ratio === undefined ? '' : `${ratio.value.toFixed(2)} × ${ratio.of}`,
    aim === undefined ? '' : `${aim.text}: ${aim.met ? 'met' : 'missed'}`,
    note ?? '',
  ];
}

function numberText(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
