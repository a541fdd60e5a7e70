/** Names of settings: `recompute.quietMs` in a file, `ANCHORLINE_RECOMPUTE_QUIET_MS` in the environment. */
export const ENV_PREFIX = 'ANCHORLINE_';

/** Names the configuration file itself. */
export const CONFIG_FILE_ENV = 'ANCHORLINE_CONFIG';

export function envName(path: string): string {
  return (
    ENV_PREFIX +
    path
      .replaceAll('.', '_')
      .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
      .toUpperCase()
  );
}

/** The candidate that was probably meant; null where none is near. */
export function nearest(given: string, candidates: readonly string[]): string | null {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(given.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, given.length / 3) ? best.candidate : null;
}

/** Levenshtein: how many letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
