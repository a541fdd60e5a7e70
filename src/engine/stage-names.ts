/** R9: how a stage's name finds the rows of a model or constraint set that speak of it. */
import type { Id } from '../domain/facts.ts';

interface NamedRow {
  readonly id: Id;
  readonly stageName: string;
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[_\-\s]/g, '');
}

/** A name and, where it is joined by `&`, its parts. */
function spellings(name: string): string[] {
  const whole = normalise(name);
  return whole.includes('&') ? [whole, ...whole.split('&')] : [whole];
}

/** The row for a stage: its name whole, then its parts, then `harvest` for `adult`; the lowest id of each. */
export function rowForStage<R extends NamedRow>(rows: readonly R[], stageName: string | null): R | null {
  if (stageName === null) return null;
  const wanted = spellings(stageName);
  if (wanted.includes('adult')) wanted.push('harvest');
  for (const name of wanted) {
    let found: R | null = null;
    for (const row of rows) {
      if ((found === null || row.id < found.id) && spellings(row.stageName).includes(name)) found = row;
    }
    if (found !== null) return found;
  }
  return null;
}
