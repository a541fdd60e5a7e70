/** Figures as tables: for a terminal and for RESULTS.md, where each benchmark has a section of its own. Pure. */
import type { Bench, Figure } from './bench.ts';

export interface Outcome {
  readonly bench: Pick<Bench, 'name' | 'about'>;
  /** What reproduces it. */
  readonly command: string;
  readonly date: string;
  readonly commit: string;
  /** The machine's load average when it began. */
  readonly load: number;
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
}

export const HEAD = ['what', 'measured', 'against its limit', 'aim', 'note'] as const;

/** The page with the sections in the order of `names`; what was not run this time stays as `before` has it. */
export function resultsPage(
  { cores, memory, system, versions }: Machine,
  names: readonly string[],
  outcomes: readonly Outcome[],
  before: string,
): string {
  const sections = sectionsOf(before);
  for (const outcome of outcomes) sections.set(outcome.bench.name, section(outcome));
  const shown = names.flatMap((name) => sections.get(name) ?? []);
  return [
    '# Results',
    '',
    'Written by `npm run bench`: do not edit. Each figure stands beside its limit, measured in the same run.',
    '',
    `- ${cores}, ${memory}, ${system}`,
    `- ${versions.join(', ')}`,
    '',
    ...shown,
  ].join('\n');
}

/** Sections of a page by name. */
function sectionsOf(page: string): Map<string, string> {
  const parts = page.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), `## ${part.trimEnd()}\n`]));
}

function section({ bench, command, date, commit, load, seconds, figures, failure }: Outcome): string {
  const taken = `\`${command}\`: ${date}, at ${commit}, ${seconds.toFixed(0)} s, load average ${load.toFixed(1)} before.`;
  const title = [`## ${bench.name}`, '', bench.about, '', taken, ''];
  if (failure !== null) return [...title, `Failed: ${failure.split('\n')[0] ?? ''}`, ''].join('\n');
  const rows = figures.map((figure) => `| ${cellsOf(figure).join(' | ')} |`);
  return [...title, `| ${HEAD.join(' | ')} |`, '|---|--:|--:|---|---|', ...rows, ''].join('\n');
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
