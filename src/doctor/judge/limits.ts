/** From where on something is worth a word; the settings of `doctor`, in one unit each. */
export interface Limits {
  /** What ends within this time at its present pace ends tonight, ms. */
  readonly runwayMs: number;
  readonly slotLagBytes: number;
  /** Heartbeats that may be missed. */
  readonly heartbeatsMissed: number;
  readonly clockSkewMs: number;
  readonly dirtMs: number;
  readonly backlogMs: number;
  /** How long a record may lie unread. */
  readonly awayMs: number;
  readonly transactionMs: number;
  readonly deadTuples: number;
  readonly deadLetters: number;
  readonly freePercent: number;
  readonly freeConnections: number;
  readonly queuePercent: number;
}
