/** The fact catalogue as SQL: names of tables and columns, array literals in, facts out. */
import { FACT_COLUMNS } from '../domain/fact-columns.ts';
import type { ColumnType } from '../domain/fact-columns.ts';
import type { FactKind, FactTypes } from '../domain/facts.ts';
import { boolArray, dayArray, numberArray, textArray } from './arrays.ts';

type Base = ColumnType extends infer T ? (T extends `${infer B}?` ? B : T) : never;

export const SQL_TYPES: { readonly [B in Base]: string } = {
  id: 'bigint',
  int: 'integer',
  day: 'date',
  e4: 'bigint',
  double: 'double precision',
  text: 'text',
  bool: 'boolean',
  us: 'bigint',
};

export interface FactColumn {
  readonly field: string;
  /** Ready to be pasted into a statement. */
  readonly name: string;
  readonly base: Base;
  readonly nullable: boolean;
}

/** `startDay` → `start_day`. */
export function snakeCase(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const COLUMNS = new Map<FactKind, readonly FactColumn[]>(
  (Object.keys(FACT_COLUMNS) as FactKind[]).map((kind) => [kind, columnsFrom(FACT_COLUMNS[kind])]),
);

function columnsFrom(columns: Readonly<Record<string, ColumnType>>): FactColumn[] {
  return Object.entries(columns).map(([field, type]) => ({
    field,
    name: field === 'order' ? '"order"' : snakeCase(field),
    base: type.replace('?', '') as Base,
    nullable: type.endsWith('?'),
  }));
}

export function columnsOf(kind: FactKind): readonly FactColumn[] {
  return COLUMNS.get(kind) as readonly FactColumn[];
}

export function tableOf(kind: FactKind): string {
  return `fact_${kind}`;
}

/** `f.id, f.batch_id, …` in the order that `toFact` expects. */
export function selectList(kind: FactKind, alias: string): string {
  return columnsOf(kind)
    .map(({ name }) => `${alias}.${name}`)
    .join(', ');
}

/** A selected row as the fact; further columns may follow in the row. */
export function toFact<K extends FactKind>(kind: K, row: readonly unknown[]): FactTypes[K] {
  const fact: Record<string, unknown> = {};
  columnsOf(kind).forEach(({ field }, i) => {
    fact[field] = row[i];
  });
  return fact as unknown as FactTypes[K];
}

/** One array literal per column. */
export function columnArrays<K extends FactKind>(kind: K, facts: readonly FactTypes[K][]): string[] {
  return columnsOf(kind).map(({ field, base }) => {
    const values = facts.map((fact) => fact[field as keyof FactTypes[K]] as unknown);
    switch (base) {
      case 'text':
        return textArray(values as (string | null)[]);
      case 'bool':
        return boolArray(values as boolean[]);
      case 'day':
        return dayArray(values as (number | null)[]);
      default:
        return numberArray(values as (number | null)[]);
    }
  });
}
