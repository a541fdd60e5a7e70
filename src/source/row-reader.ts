/**
 * Typed reading of a source row. The first thing wrong is kept as a rejection that names table, column and
 * value; reading goes on with placeholders, so a mapping is written without a branch per column.
 * Whoever maps must look at `rejection` before using what was built.
 *
 * `opt…` readers give null for a column that is null or that this generation of the schema lacks.
 */
import { KEEP, REJECTIONS } from '../domain/cdc.ts';
import type { Rejection, RejectionCode, SourceRow } from '../domain/cdc.ts';
import { EARLIEST_FACT_DAY, LATEST_FACT_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import { parseE4 } from './decimal.ts';
import { parseInstantUs } from './instant.ts';
import { US_PER_DAY } from './site-calendar.ts';
import type { SiteCalendar } from './site-calendar.ts';

/** What Debezium sends for an unchanged value that was stored out of line. */
const UNAVAILABLE = '__debezium_unavailable_value';
/** Grams, degrees, percent: what a row's columns hold with certainty, whatever is computed from it. */
const LARGEST = 1e9;
const SHOWN_CHARACTERS = 80;
const EARLIEST_US = (EARLIEST_FACT_DAY - 1) * US_PER_DAY;
const LATEST_US = (LATEST_FACT_DAY + 2) * US_PER_DAY;

export class RowReader {
  readonly #table: string;
  readonly #row: SourceRow;
  readonly #calendar: SiteCalendar;
  #rejection: Rejection | null = null;

  constructor(table: string, row: SourceRow, calendar: SiteCalendar) {
    this.#table = table;
    this.#row = row;
    this.#calendar = calendar;
  }

  get rejection(): Rejection | null {
    return this.#rejection;
  }

  /** The row's own key. */
  id(column: string): Id {
    return this.#required(column, REJECTIONS.missingField) ? this.#identity(column) : 0;
  }

  /** A reference that no rule can do without. */
  ref(column: string): Id {
    return this.#required(column, REJECTIONS.missingReference) ? this.#identity(column) : 0;
  }

  optRef(column: string): Id | null {
    return this.#row[column] == null ? null : this.#identity(column);
  }

  int(column: string): number {
    return this.#required(column, REJECTIONS.missingField) ? this.#integer(column) : 0;
  }

  optInt(column: string): number | null {
    return this.#row[column] == null ? null : this.#integer(column);
  }

  /** A whole number of fish, eggs or specimens: never negative. */
  count(column: string): number {
    return this.#notNegative(column, this.int(column));
  }

  optCount(column: string): number | null {
    return this.#row[column] == null ? null : this.#notNegative(column, this.#integer(column));
  }

  /** A decimal as an exact integer of 1/10 000. */
  e4(column: string): number {
    return this.#required(column, REJECTIONS.missingField) ? this.#decimal(column) : 0;
  }

  optE4(column: string): number | null {
    return this.#row[column] == null ? null : this.#decimal(column);
  }

  /** As `e4`, of something that cannot be less than nothing. */
  amountE4(column: string): number {
    return this.#notNegative(column, this.e4(column));
  }

  double(column: string): number {
    return this.#required(column, REJECTIONS.missingField) ? this.#float(column) : 0;
  }

  optDouble(column: string): number | null {
    return this.#row[column] == null ? null : this.#float(column);
  }

  /** A share in percent. */
  percent(column: string): number {
    return this.#between(column, this.double(column), 0, 100, 'is no share in percent, 0 to 100');
  }

  optPercent(column: string): number | null {
    return this.#row[column] == null ? null : this.percent(column);
  }

  /** °C. */
  celsius(column: string): number {
    return this.#between(column, this.double(column), -1000, 1000, 'is no temperature in °C');
  }

  /** A `date` column. */
  day(column: string): Day {
    return this.#required(column, REJECTIONS.missingField) ? this.#date(column) : 0;
  }

  optDay(column: string): Day | null {
    return this.#row[column] == null ? null : this.#date(column);
  }

  /** The site's day of a `timestamptz` column. */
  instantDay(column: string): Day {
    return this.dayAt(column, this.micros(column));
  }

  optInstantDay(column: string): Day | null {
    return this.#row[column] == null ? null : this.instantDay(column);
  }

  /** The site's day of an instant that was read from `column`. */
  dayAt(column: string, instantUs: number): Day {
    return this.#inRange(column, this.#calendar.dayOf(instantUs));
  }

  /** A `timestamptz` column in µs since 1970-01-01T00:00Z. */
  micros(column: string): number {
    if (!this.#required(column, REJECTIONS.missingField)) return 0;
    const value = this.#row[column];
    if (typeof value !== 'string') return this.#refuseValue(column, 'is not a timestamp');
    const micros = parseInstantUs(value);
    if (micros !== null && micros >= EARLIEST_US && micros < LATEST_US) return micros;
    // Years of more than four digits carry a sign.
    if (micros !== null || value === 'infinity' || /^[+-]/.test(value)) return this.#refuseDate(column);
    return this.#refuseValue(column, 'is not a timestamp');
  }

  text(column: string): string | typeof KEEP {
    return this.#required(column, REJECTIONS.missingField) ? this.#string(column) : '';
  }

  optText(column: string): string | typeof KEEP | null {
    return this.#row[column] == null ? null : this.#string(column);
  }

  /** A word of an enumeration, as it stands; always sent, being short. */
  word(column: string): string {
    const value = this.text(column);
    return value === KEEP ? this.#refuseWord(column) : value;
  }

  optWord(column: string): string | null {
    return this.#row[column] == null ? null : this.word(column);
  }

  bool(column: string): boolean {
    if (!this.#required(column, REJECTIONS.missingField)) return false;
    const value = this.#row[column];
    if (typeof value === 'boolean') return value;
    this.#refuseValue(column, 'is not a boolean');
    return false;
  }

  /** Refuses the value of a column for a reason of the mapping's own. */
  refuse(column: string, why: string): void {
    this.#refuseValue(column, why);
  }

  /** Refuses the row for the lack of any one of some references. */
  refuseWithout(columns: string): void {
    this.#reject(REJECTIONS.missingReference, `${this.#table}: none of ${columns} is set`);
  }

  #required(column: string, code: RejectionCode): boolean {
    const value = this.#row[column];
    if (value != null) return true;
    const state = value === null ? 'is null' : 'is missing';
    this.#reject(code, `${this.#table}.${column} ${state}`);
    return false;
  }

  /**
   * Identities begin at 1. A 0 is what a null becomes on its way while the connector still takes the column for
   * one that cannot be null.
   */
  #identity(column: string): Id {
    const id = this.#integer(column);
    if (id < 1) this.#reject(REJECTIONS.missingReference, `${this.#describe(column)} is no row's id`);
    return id;
  }

  #integer(column: string): number {
    const value = this.#row[column];
    // A long arrives as a bigint only where it is not safe as a number, but other decoders are thinkable.
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
    return this.#refuseValue(column, 'is not a safe integer');
  }

  #notNegative(column: string, value: number): number {
    return value < 0 ? this.#refuseValue(column, 'is negative') : value;
  }

  #between(column: string, value: number, least: number, most: number, why: string): number {
    return value >= least && value <= most ? value : this.#refuseValue(column, why);
  }

  #decimal(column: string): number {
    const value = this.#row[column];
    const text = typeof value === 'number' ? String(value) : value;
    const units = typeof text === 'string' ? parseE4(text) : null;
    if (units === null) return this.#refuseValue(column, 'is not a decimal of at most four places');
    return Math.abs(units) <= LARGEST * 10_000 ? units : this.#refuseLarge(column);
  }

  #float(column: string): number {
    const value = this.#row[column];
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      return this.#refuseValue(column, 'is not a finite number');
    }
    return Math.abs(number) <= LARGEST ? number : this.#refuseLarge(column);
  }

  #date(column: string): Day {
    const value = this.#row[column];
    if (typeof value === 'number' && Number.isInteger(value)) return this.#inRange(column, value);
    return this.#refuseValue(column, 'is not a count of days');
  }

  #inRange(column: string, day: Day): Day {
    return day >= EARLIEST_FACT_DAY && day <= LATEST_FACT_DAY ? day : this.#refuseDate(column);
  }

  #string(column: string): string | typeof KEEP {
    const value = this.#row[column];
    if (value === UNAVAILABLE) return KEEP;
    if (typeof value === 'string') return value;
    this.#refuseValue(column, 'is not text');
    return '';
  }

  #refuseWord(column: string): string {
    this.#refuseValue(column, 'is not a word');
    return '';
  }

  #refuseValue(column: string, why: string): number {
    this.#reject(REJECTIONS.invalidValue, `${this.#describe(column)} ${why}`);
    return 0;
  }

  #refuseLarge(column: string): number {
    return this.#refuseValue(column, `is beyond ±${LARGEST}, which no weight, temperature or rate is`);
  }

  #refuseDate(column: string): number {
    this.#reject(
      REJECTIONS.dateOutOfRange,
      `${this.#describe(column)} is outside the dates a fact may carry`,
    );
    return 0;
  }

  #describe(column: string): string {
    const value = String(this.#row[column]);
    const shown = value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value;
    return `${this.#table}.${column} ${JSON.stringify(shown)}`;
  }

  #reject(code: RejectionCode, message: string): void {
    this.#rejection ??= { code, message };
  }
}
