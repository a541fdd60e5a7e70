/** A column of the source that a mapping reads, and as what: it decides what may go wrong with its values. */
export interface UsedColumn {
  readonly name: string;
  readonly kind: 'decimal' | 'date' | 'instant' | 'other';
}
