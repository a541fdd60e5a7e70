/** Which thread takes which partition: one partition is always one thread's, so that its order holds. */
export interface Sized {
  readonly size: number;
}

/** Largest first, each to whoever has least so far. Gives each item's thread. */
export function spread<T extends Sized>(items: readonly T[], threads: number): ReadonlyMap<T, number> {
  const loads = Array.from({ length: threads }, () => 0);
  const places = new Map<T, number>();
  for (const item of [...items].sort((a, b) => b.size - a.size)) {
    const least = loads.indexOf(Math.min(...loads));
    places.set(item, least);
    loads[least] = (loads[least] as number) + item.size;
  }
  return places;
}
