/** Columns that grow: a computation does not know how many days it will take until it meets an equal one. */
import type { Day } from '../domain/day.ts';
import type { AssignmentFact, Id } from '../domain/facts.ts';
import type { DailyRows } from '../domain/rows.ts';

type Columns = Omit<
  DailyRows,
  'assignmentId' | 'batchId' | 'containerId' | 'firstDay' | 'firstDayNumber' | 'length' | 'activities'
>;

const DOUBLE_COLUMNS = [
  'stageId',
  'weight',
  'remainder',
  'population',
  'avgWeight',
  'biomass',
  'temp',
  'deaths',
  'feed',
  'fcr',
  'residual',
] as const satisfies readonly (keyof Columns)[];

export class RowBuffer implements DailyRows {
  readonly assignmentId: Id;
  readonly batchId: Id;
  readonly containerId: Id;
  readonly firstDay: Day;
  readonly firstDayNumber: number;
  /** Rows written so far; the columns may be longer. */
  length = 0;
  stageId!: Float64Array;
  weight!: Float64Array;
  remainder!: Float64Array;
  population!: Float64Array;
  avgWeight!: Float64Array;
  biomass!: Float64Array;
  temp!: Float64Array;
  deaths!: Float64Array;
  feed!: Float64Array;
  fcr!: Float64Array;
  residual!: Float64Array;
  anchor = new Uint8Array(0);
  origins = new Uint32Array(0);
  confidences = new Uint32Array(0);
  activities: Map<number, string> | null = null;
  readonly #most: number;
  #capacity = 0;

  /** Room for `expected` rows at first and for `most` in the end. */
  constructor(
    assignment: AssignmentFact,
    firstDay: Day,
    firstDayNumber: number,
    expected: number,
    most: number,
  ) {
    this.assignmentId = assignment.id;
    this.batchId = assignment.batchId;
    this.containerId = assignment.containerId;
    this.firstDay = firstDay;
    this.firstDayNumber = firstDayNumber;
    this.#most = most;
    this.#reserve(Math.min(expected, most));
  }

  /** Makes room for the next row and returns its index. */
  claim(): number {
    if (this.length === this.#capacity) this.#reserve(Math.min(this.#capacity * 2 + 16, this.#most));
    return this.length++;
  }

  noteActivity(i: number, activity: string): void {
    this.activities ??= new Map();
    this.activities.set(i, activity);
  }

  /** The rows written, as columns of just that length. */
  finish(): DailyRows {
    const { length } = this;
    if (length < this.#capacity) {
      for (const name of DOUBLE_COLUMNS) this[name] = this[name].subarray(0, length);
      this.anchor = this.anchor.subarray(0, length);
      this.origins = this.origins.subarray(0, length);
      this.confidences = this.confidences.subarray(0, length);
      this.#capacity = length;
    }
    return this;
  }

  /** All double columns lie in one allocation. */
  #reserve(capacity: number): void {
    const doubles = new ArrayBuffer(DOUBLE_COLUMNS.length * 8 * capacity);
    DOUBLE_COLUMNS.forEach((name, n) => {
      const column = new Float64Array(doubles, n * 8 * capacity, capacity);
      if (this.length > 0) column.set(this[name]);
      this[name] = column;
    });
    this.anchor = enlarged(new Uint8Array(capacity), this.anchor);
    this.origins = enlarged(new Uint32Array(capacity), this.origins);
    this.confidences = enlarged(new Uint32Array(capacity), this.confidences);
    this.#capacity = capacity;
  }
}

function enlarged<A extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(column: A, before: A): A {
  column.set(before);
  return column;
}
