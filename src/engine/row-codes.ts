/**
 * A row's `sources` and `confidence_scores` as packed integers, and their JSON at the edges.
 * Few combinations ever occur, so each code's text is made once and the texts read back are remembered.
 */
import {
  FCR_SOURCES,
  FEED_SOURCES,
  GROWTH_SOURCES,
  MORTALITY_SOURCES,
  TEMP_SOURCES,
  WEIGHT_SOURCES,
} from '../domain/rows.ts';

/** R21: confidence of a temperature interpolated over `spanDays` (2 to 14). */
export function spanConfidence(spanDays: number): number {
  return Math.max(0.4, 0.9 - spanDays / 30);
}

const FIXED_CONFIDENCES = [0, 0.3, 0.4, 0.5, 0.6, 0.8, 0.85, 0.9, 0.95, 1];
const SPANS = Array.from({ length: 13 }, (_, i) => spanConfidence(i + 2));

/** Every confidence that a rule can yield; a value's index is its code. */
export const CONFIDENCE_VALUES: readonly number[] = [...new Set([...FIXED_CONFIDENCES, ...SPANS])];

const CODE_OF_CONFIDENCE = new Map(CONFIDENCE_VALUES.map((value, code) => [value, code]));

/** The code of a confidence value; throws a RangeError for a value that no rule yields. */
export function confidenceCode(value: number): number {
  const code = CODE_OF_CONFIDENCE.get(value);
  if (code === undefined) throw new RangeError(`not a confidence of any rule: ${value}`);
  return code;
}

const ORIGIN_FIELDS = [
  { key: 'weight', values: WEIGHT_SOURCES, shift: 0, mask: 3 },
  { key: 'temp', values: TEMP_SOURCES, shift: 2, mask: 7 },
  { key: 'mortality', values: MORTALITY_SOURCES, shift: 5, mask: 3 },
  { key: 'feed', values: FEED_SOURCES, shift: 7, mask: 1 },
  { key: 'fcr', values: FCR_SOURCES, shift: 8, mask: 1 },
  { key: 'growth', values: GROWTH_SOURCES, shift: 9, mask: 3 },
] as const;
const CONFIDENCE_KEYS = ['weight', 'temp', 'mortality', 'feed', 'fcr'] as const;
const CONFIDENCE_BITS = 6;
const CONFIDENCE_MASK = (1 << CONFIDENCE_BITS) - 1;

/** Indices into WEIGHT_SOURCES, TEMP_SOURCES, … → one integer. */
export function packOrigins(
  weight: number,
  temp: number,
  mortality: number,
  feed: number,
  fcr: number,
  growth: number,
): number {
  return weight | (temp << 2) | (mortality << 5) | (feed << 7) | (fcr << 8) | (growth << 9);
}

/** Confidence codes → one integer of 30 bits. */
export function packConfidences(
  weight: number,
  temp: number,
  mortality: number,
  feed: number,
  fcr: number,
): number {
  return weight | (temp << 6) | (mortality << 12) | (feed << 18) | (fcr << 24);
}

export type Sources = Readonly<Record<string, string>>;
export type ConfidenceScores = Readonly<Record<string, number>>;

/** The published object of an origins code; `activity` where a planned activity led to the anchor. */
export function unpackOrigins(code: number, activity?: string | null): Sources {
  const sources: Record<string, string> = {};
  for (const field of ORIGIN_FIELDS) {
    const value = field.values[(code >>> field.shift) & field.mask];
    if (value === undefined) throw new RangeError(`not an origins code: ${code}`);
    if (value !== null) sources[field.key] = value;
  }
  if (activity != null) sources['activity'] = activity;
  return sources;
}

/** The published object of a confidences code. */
export function unpackConfidences(code: number): ConfidenceScores {
  const scores: Record<string, number> = {};
  CONFIDENCE_KEYS.forEach((key, i) => {
    const value = CONFIDENCE_VALUES[(code >>> (i * CONFIDENCE_BITS)) & CONFIDENCE_MASK];
    if (value === undefined) throw new RangeError(`not a confidences code: ${code}`);
    scores[key] = value;
  });
  return scores;
}

const originTexts = new Map<number, string>();
const confidenceTexts = new Map<number, string>();

/** The JSON text stored in `sources`. */
export function originsToJson(code: number, activity?: string | null): string {
  if (activity != null) return JSON.stringify(unpackOrigins(code, activity));
  return intern(originTexts, code, () => JSON.stringify(unpackOrigins(code)));
}

/** The JSON text stored in `confidence_scores`. */
export function confidencesToJson(code: number): string {
  return intern(confidenceTexts, code, () => JSON.stringify(unpackConfidences(code)));
}

export interface Origins {
  readonly code: number;
  readonly activity: string | null;
}

const originsByText = new Map<string, Origins>();
const confidencesByText = new Map<string, number>();
/** Texts with an activity name an id and are without end; they, and any surplus, are parsed each time. */
const REMEMBERED_TEXTS = 10_000;

/** Reads `sources` back, from its text or parsed; throws a RangeError for a source that no rule names. */
export function jsonToOrigins(stored: string | Sources): Origins {
  if (typeof stored !== 'string') return encodeOrigins(stored);
  const known = originsByText.get(stored);
  if (known !== undefined) return known;
  const origins = encodeOrigins(JSON.parse(stored) as Sources);
  if (origins.activity === null && originsByText.size < REMEMBERED_TEXTS) originsByText.set(stored, origins);
  return origins;
}

/** Reads `confidence_scores` back, from its text or parsed; throws a RangeError for a value of no rule. */
export function jsonToConfidences(stored: string | ConfidenceScores): number {
  if (typeof stored !== 'string') return encodeConfidences(stored);
  const known = confidencesByText.get(stored);
  if (known !== undefined) return known;
  const code = encodeConfidences(JSON.parse(stored) as ConfidenceScores);
  if (confidencesByText.size < REMEMBERED_TEXTS) confidencesByText.set(stored, code);
  return code;
}

function encodeOrigins(sources: Sources): Origins {
  let code = 0;
  for (const field of ORIGIN_FIELDS) {
    const values: readonly (string | null)[] = field.values;
    const index = values.indexOf(sources[field.key] ?? null);
    if (index < 0) throw new RangeError(`not a source of ${field.key}: ${String(sources[field.key])}`);
    code |= index << field.shift;
  }
  return { code, activity: sources['activity'] ?? null };
}

function encodeConfidences(scores: ConfidenceScores): number {
  let code = 0;
  CONFIDENCE_KEYS.forEach((key, i) => {
    code |= confidenceCode(scores[key] ?? Number.NaN) << (i * CONFIDENCE_BITS);
  });
  return code;
}

function intern(texts: Map<number, string>, code: number, make: () => string): string {
  let text = texts.get(code);
  if (text === undefined) {
    text = make();
    texts.set(code, text);
  }
  return text;
}
