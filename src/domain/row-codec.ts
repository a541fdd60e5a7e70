/**
 * How a row's packed codes become the JSON that is stored and published. The engine implements it
 * (engine/row-codes.ts); the store is handed the implementation, because it may not import the engine.
 */
export interface RowCodec {
  /** JSON text for `sources`; `activity` names the planned activity that led to the anchor. */
  originsToJson(code: number, activity?: string | null): string;
  /** Reads `sources` back; throws a RangeError for a source that no rule names. */
  jsonToOrigins(stored: string): { readonly code: number; readonly activity: string | null };
  /** JSON text for `confidence_scores`. */
  confidencesToJson(code: number): string;
  jsonToConfidences(stored: string): number;
}
