/** Upstream transactions that are not whole yet, over Maps. */
import type { Id } from '../../src/domain/facts.ts';
import type { GivenUp } from '../../src/domain/transactions.ts';
import type { StoredPart } from './memory-database.ts';
import type { Session, Transaction } from './memory-session.ts';

/** Assignments with dirt of a transaction that is not whole, and those that have waited for as long as they may. */
export function heldBack({ view, session }: Transaction): { held: Set<Id>; overdue: Set<Id> } {
  const open = new Set([...view.parts.snapshot().values()].map(({ batch }) => batch));
  const held = new Set<Id>();
  const overdue = new Set<Id>();
  for (const { seq, assignmentId, batch, appendedMs } of view.dirt.snapshot().values()) {
    if (batch !== null && open.has(batch)) held.add(assignmentId);
    const waits = !session.db.setAside.has(seq);
    if (waits && session.nowMs() - appendedMs >= session.transactionWaitMs) overdue.add(assignmentId);
  }
  return { held, overdue };
}

export function settle(
  session: Session,
  which: readonly number[] | { readonly olderThanMs: number },
): readonly Id[] {
  const { ends } = session.db;
  const asked = [...ends.committed.values()].filter((end) =>
    'olderThanMs' in which ? session.nowMs() - end.seenMs >= which.olderThanMs : which.includes(end.id),
  );
  const gone: StoredPart[] = [];
  for (const { id, records } of asked) {
    const parts = partsOf(session, id);
    if (new Set(parts.flatMap(({ orders }) => orders)).size < records) continue;
    ends.committed.delete(id);
    gone.push(...parts);
  }
  return forget(session, gone);
}

export function giveUp(session: Session, olderThanMs: number): GivenUp {
  const isLate = ({ seenMs }: { seenMs: number }): boolean => session.nowMs() - seenMs >= olderThanMs;
  const late = new Set([...session.db.parts.committed.values()].filter(isLate).map(({ id }) => id));
  const { ends } = session.db;
  for (const end of ends.committed.values()) {
    if (late.has(end.id) || isLate(end)) ends.committed.delete(end.id);
  }
  const gone = [...late].flatMap((id) => partsOf(session, id));
  const ids = [...late].sort((a, b) => a - b);
  return { count: ids.length, ids: ids.slice(0, 5), assignmentIds: forget(session, gone) };
}

function partsOf({ db }: Session, id: number): StoredPart[] {
  return [...db.parts.committed.values()].filter((part) => part.id === id);
}

/** Returns whose dirt refers to them, ascending. */
function forget({ db }: Session, parts: readonly StoredPart[]): Id[] {
  for (const { batch, id } of parts) db.parts.committed.delete(`${batch}/${id}`);
  const batches = new Set<bigint | null>(parts.map(({ batch }) => batch));
  const dirt = [...db.dirt.committed.values()].filter(({ batch }) => batch !== null && batches.has(batch));
  return [...new Set(dirt.map(({ assignmentId }) => assignmentId))].sort((a, b) => a - b);
}
