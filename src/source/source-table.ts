/** What is known of one captured table: the one place where its columns' names are written. */
import type { Keepable } from '../domain/cdc.ts';
import type { DirtScope } from '../domain/dirt.ts';
import type { FactKind, FactTypes } from '../domain/facts.ts';
import type { EngineSettings } from '../domain/settings.ts';
import type { RowReader } from './row-reader.ts';

/** What a kind of fact makes dirty, from its images alone. */
export interface FactDirt<K extends FactKind> {
  readonly kind: K;
  /** Fields that no rule reads: a change of these alone dirties nothing. */
  readonly unread?: readonly (keyof FactTypes[K])[];
  /** Where one image is read (R24); a change dirties this for the image before and for the one after. */
  reach(image: FactTypes[K], settings: EngineSettings): readonly DirtScope[];
}

export interface SourceTable<K extends FactKind> extends FactDirt<K> {
  readonly table: string;
  /** The primary key's column. */
  readonly key: string;
  /** The fact of a row; worthless where the reader has a rejection afterwards. */
  map(row: RowReader): Keepable<FactTypes[K]>;
}

/** Gives a table's definition its precise type. */
export function sourceTable<K extends FactKind>(definition: SourceTable<K>): SourceTable<K> {
  return definition;
}
