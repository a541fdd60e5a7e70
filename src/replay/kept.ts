/** Images with values that the source could not send, taken one after the other as ingest would have. */
import type { Fact, FactKind } from '../domain/facts.ts';
import type { DeadLetter } from '../domain/ports.ts';
import type { StagedImage } from '../domain/replay.ts';
import { completed, withoutStoredValue } from '../ingest/apply.ts';

export interface FoldedImages {
  readonly image: Fact | null;
  /** Images that nothing stored could complete. */
  readonly refused: readonly DeadLetter[];
}

/** `images` of one fact, ascending. */
export function foldImages(kind: FactKind, id: number, images: readonly StagedImage[]): FoldedImages {
  let stored: Fact | null = null;
  const refused: DeadLetter[] = [];
  for (const { image, record } of images) {
    const after: Fact | null | undefined = image === null ? null : completed(kind, image, stored);
    if (after !== undefined) stored = after;
    else if (record !== null) refused.push({ record, rejection: withoutStoredValue(kind, id) });
  }
  return { image: stored, refused };
}
