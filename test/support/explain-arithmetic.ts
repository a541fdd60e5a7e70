/** Reckons a row from the numbers that an explanation's text names, and from nothing else. */
import type { Explanation } from '../../src/explain/types.ts';
import { round2, round3 } from '../../src/engine/round.ts';

const NUMBER = String.raw`(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)`;

/** The columns that arithmetic yields; a number that the text lacks, or that does not follow, fails by its rule. */
export function reckoned(told: Explanation): Record<string, number | null> {
  const text = new Texts(told);
  const start = beginning(text);
  const { came, grams, mixed } = arrivals(text, start);
  const temp = temperature(text, told.day);
  const grown = growth(text, mixed, temp);
  const { weight, residual } = anchor(text, grown);
  const left = [...text.all('R14').matchAll(regex('^# fish leave'))].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  const { deaths, remainder } = mortality(text, start);
  const population = Math.max(0, start.population + came - left - deaths);
  const biomass = (population * weight) / 1000;
  const feed = feeding(text);
  const gone = Math.min(left, start.population + came);
  const gain = biomass - (start.population * start.weight) / 1000 - grams / 1000 + (gone * weight) / 1000;
  text.expect('R17', gain);
  return {
    carry_weight_g: weight,
    avg_weight_g: round2(weight),
    population,
    biomass_kg: round2(biomass),
    temp_c: temp === null ? null : round2(temp),
    mortality_count: deaths,
    mortality_remainder: remainder,
    feed_kg: round2(feed),
    observed_fcr: feed > 0 && gain > 1 ? round3(Math.min(feed / gain, 10)) : null,
    anchor_residual_g: residual,
    lifecycle_stage_id: stage(text),
  };
}

function regex(pattern: string, flags = 'gm'): RegExp {
  return new RegExp(pattern.replaceAll('#', NUMBER), flags);
}

class Texts {
  readonly #byRule: Map<string, string>;

  constructor({ steps }: Explanation) {
    this.#byRule = new Map(steps.map(({ rule, lines }) => [rule, lines.join('\n')]));
  }

  /** Empty where the rule had nothing to say. */
  all(rule: string): string {
    return this.#byRule.get(rule) ?? '';
  }

  has(rule: string): boolean {
    return this.#byRule.has(rule);
  }

  /** The numbers of the pattern's `#`; throws where the text has none such. */
  numbers(rule: string, pattern: string): number[] {
    const found = regex(pattern, 'm').exec(this.all(rule));
    if (found === null) throw new Error(`${rule} does not say /${pattern}/: ${this.all(rule)}`);
    return found.slice(1).map(Number);
  }

  expect(rule: string, value: number): void {
    const given = [...this.all(rule).matchAll(regex('= #'))].map(([, number]) => Number(number));
    if (!given.includes(value)) throw new Error(`${rule} does not give ${value}: ${this.all(rule)}`);
  }
}

interface Beginning {
  readonly weight: number;
  readonly population: number;
  readonly remainder: number;
}

function beginning(text: Texts): Beginning {
  if (text.has('R4')) {
    const [weight, population, remainder] = text.numbers('R4', ': # g, # fish, mortality remainder #,');
    return { weight: weight!, population: population!, remainder: remainder! };
  }
  const [weight] = text.numbers('R6', '^opens at # g');
  return { weight: weight!, population: opening(text), remainder: 0 };
}

function opening(text: Texts): number {
  const said = text.all('R5');
  if (said.startsWith('case a')) return 0;
  if (said.startsWith('case b')) return text.numbers('R5', 'population_count #')[0]!;
  const [count, left, arrived, died] = text.numbers(
    'R5',
    'population_count # \\+ # that left − # that .* \\+ # recorded',
  );
  return Math.max(0, count! + left! - arrived! + died!);
}

function arrivals(text: Texts, start: Beginning): { came: number; grams: number; mixed: number } {
  let [came, grams] = [0, 0];
  for (const [, count, weight] of text.all('R10, R11').matchAll(regex('^# fish arrive .* at # g:'))) {
    came += Number(count);
    grams += Number(count) * Number(weight);
  }
  if (came === 0 || start.population + came === 0) return { came, grams, mixed: start.weight };
  const mixed = (start.population * start.weight + grams) / (start.population + came);
  text.expect('R10, R11', mixed);
  return { came, grams, mixed };
}

function temperature(text: Texts, day: number): number | null {
  const said = text.all('R21');
  if (said.startsWith('no temperature')) return null;
  const [value] = text.numbers('R21', '^# °C');
  const means = [...said.matchAll(regex(String.raw`^(\d{4}-\d\d-\d\d): mean of # readings, # ÷`))].map(
    ([, date, count, sum]) => ({
      day: Date.parse(date!) / 86_400_000,
      mean: Math.round(Number(sum) * 10_000) / (Number(count) * 10_000),
    }),
  );
  const [first, second] = means;
  let own = first?.mean;
  if (second !== undefined) {
    const rise = second.mean - first!.mean;
    own = first!.mean + (rise * (day - first!.day)) / (second.day - first!.day);
  } else if (said.includes('by profile')) {
    const points = [...said.matchAll(regex('# °C on day #'))].map(([, t, at]) => ({
      t: Number(t),
      at: Number(at),
    }));
    const [, number] = text.numbers('R21', '°C by profile # at day #');
    const [low, high] = points;
    own =
      high === undefined
        ? low!.t
        : round2(low!.t + ((high.t - low!.t) * (number! - low!.at)) / (high.at - low!.at));
  }
  if (own !== value) throw new Error(`R21 gives ${own}: ${said}`);
  return own!;
}

function growth(text: Texts, mixed: number, temp: number | null): number {
  if (!text.has('R9, R12')) return text.numbers('R12', '^the weight stays # g')[0]!;
  const warm = Math.max(0, temp!);
  let grown: number;
  if (text.all('R9, R12').startsWith('grows by power')) {
    const [weight, tgc, t, n, , m] = text.numbers('R9, R12', String.raw`to # \+ # × #\^# × #\^# =`);
    grown = weight! + tgc! * Math.pow(t!, n!) * Math.pow(weight!, m!);
    if (weight !== mixed || t !== warm)
      throw new Error('R12 does not grow the mixed weight at the temperature');
  } else {
    const [weight, c, t] = text.numbers('R9, R12', String.raw`to \(∛# \+ # × #\)³`);
    const root = Math.cbrt(weight!) + c! * t!;
    grown = root * root * root;
    if (weight !== mixed || t !== warm)
      throw new Error('R12 does not grow the mixed weight at the temperature');
  }
  text.expect('R9, R12', grown);
  return grown;
}

function anchor(text: Texts, grown: number): { weight: number; residual: number | null } {
  if (!text.has('R13')) return { weight: grown, residual: null };
  const winner = text
    .all('R22')
    .split('\n')
    .find((line) => line.endsWith('it anchors the day'))!;
  const weight = pooled(winner);
  text.expect('R13', weight - grown);
  return { weight, residual: weight - grown };
}

function pooled(line: string): number {
  const [, fish, total] = regex('# fish weighing # g together', 'm').exec(line) ?? [];
  if (fish !== undefined) return Math.round(Number(total) * 10_000) / (Number(fish) * 10_000);
  const percent = { LARGEST: 88, SMALLEST: 112, AVERAGE: 100 };
  const unit = line.startsWith('transfer') ? 1_000_000 : 10_000;
  let [sum, sizes] = [0, 0];
  const term = regex(String.raw`(?:# × )?#(?: × [\d.]+ \((LARGEST|SMALLEST)\))? \(\d+\)`);
  for (const [, size, weight, selected] of line.matchAll(term)) {
    const times = unit === 10_000 ? 1 : percent[(selected ?? 'AVERAGE') as keyof typeof percent];
    // A single sample's size cancels out, but for what a double loses on the way.
    sum += Number(size ?? 1) * Math.round(Number(weight) * 10_000) * times;
    sizes += Number(size ?? 1);
  }
  return sum / (sizes * unit);
}

function mortality(text: Texts, start: Beginning): { deaths: number; remainder: number } {
  if (text.has('R15, R18')) {
    const named = regex('the assignment: # dead', 'm').exec(text.all('R15, R18'))?.[1] ?? 0;
    const share = regex('shared by .* here # dead$', 'm').exec(text.all('R15, R18'))?.[1] ?? 0;
    const most = regex('no more than the # that', 'm').exec(text.all('R15, R18'))?.[1] ?? Infinity;
    return { deaths: Math.min(Number(named) + Number(share), Number(most)), remainder: start.remainder };
  }
  if (text.all('R18').startsWith('nobody dies')) return { deaths: 0, remainder: start.remainder };
  const [fish, rate, before, expected, deaths, after] = text.numbers(
    'R18',
    String.raw`no event: # × # \+ remainder # = # expected; # die, remainder #$`,
  );
  if (fish! * rate! + before! !== expected || before !== start.remainder) throw new Error(text.all('R18'));
  return { deaths: deaths!, remainder: after! };
}

function feeding(text: Texts): number {
  if (text.all('R19') === 'nothing was fed') return 0;
  const named = regex('the assignment: # kg', 'm').exec(text.all('R19'))?.[1] ?? 0;
  const share = regex('shared by .* here # kg$', 'm').exec(text.all('R19'))?.[1] ?? 0;
  return (Math.round(Number(named) * 10_000) + Math.round(Number(share) * 10_000)) / 10_000;
}

/** The stage that the day ends in is the last one named. */
function stage(text: Texts): number | null {
  const named = [...text.all('R20').matchAll(/no stage|stage [^()]*\((\d+)\)/g)].at(-1);
  return named?.[1] === undefined ? null : Number(named[1]);
}
