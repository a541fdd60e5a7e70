/** Fish neither appear nor vanish: worked out from facts and rows alone, by other means than the engine's. */
import type { Day } from '../../src/domain/day.ts';
import type { Fact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import type { MemoryDatabase } from './memory-database.ts';
import type { ExpectedFacts } from './sim-expected.ts';

/** From one day to the next an assignment has what it had, plus who came, less who left and who died (R10, R14–R16). */
export function assertConserved(db: MemoryDatabase, { facts }: Pick<ExpectedFacts, 'facts'>): void {
  const { came, left } = movements(facts);
  for (const [id, rows] of db.rows.committed) {
    for (const row of rows.values()) {
      const before = rows.get(row.day - 1);
      if (before === undefined) continue;
      const at = keyOf(id, row.day);
      const there = before.population + (came.get(at) ?? 0) - (left.get(at) ?? 0);
      const now = Math.max(0, there - row.deaths);
      if (row.population === now && row.deaths <= Math.max(0, there)) continue;
      throw new Error(
        `fish of assignment ${id} differ on day ${row.day}: ${row.population}, should be ${now}`,
      );
    }
  }
}

/** Of completed movements, by assignment and day. */
function movements(facts: ReadonlyMap<FactKind, ReadonlyMap<Id, Fact>>): {
  readonly came: ReadonlyMap<string, number>;
  readonly left: ReadonlyMap<string, number>;
} {
  const came = new Map<string, number>();
  const left = new Map<string, number>();
  for (const { completed, day, sourceId, destId, count, deaths } of ofKind(facts, 'transfer')) {
    if (!completed || day === null) continue;
    add(left, sourceId, day, count + deaths);
    if (destId !== null) add(came, destId, day, count);
  }
  for (const { completed, day, destId, eggCount } of ofKind(facts, 'egg_delivery')) {
    if (completed && day !== null) add(came, destId, day, eggCount ?? 0);
  }
  const events = facts.get('harvest_event');
  for (const { eventId, count } of ofKind(facts, 'harvest_lot')) {
    const event = events?.get(eventId) as FactTypes['harvest_event'] | undefined;
    if (event !== undefined && event.assignmentId !== null) add(left, event.assignmentId, event.day, count);
  }
  return { came, left };
}

function ofKind<K extends FactKind>(
  facts: ReadonlyMap<FactKind, ReadonlyMap<Id, Fact>>,
  kind: K,
): FactTypes[K][] {
  return [...(facts.get(kind)?.values() ?? [])] as FactTypes[K][];
}

function keyOf(id: Id, day: Day): string {
  return `${id}/${day}`;
}

function add(to: Map<string, number>, id: Id, day: Day, fish: number): void {
  const key = keyOf(id, day);
  to.set(key, (to.get(key) ?? 0) + fish);
}
