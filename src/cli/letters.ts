/** Dead letters as people and programs read them. */
import { REJECTION_TEXTS } from '../domain/catalogue.ts';
import { REJECTIONS } from '../domain/cdc.ts';
import type { LetterPlace, ListedLetter, WholeLetter } from '../store/dead-letter-care.ts';

/** Where a record was: `farm.public.batch_batch/3@4711`, which `--at` and `show` take. */
export function placeText({ topic, partition, offset }: LetterPlace): string {
  return `${topic}/${partition}@${offset}`;
}

/** null for a text that is no place. */
export function parsePlace(text: string): LetterPlace | null {
  const [, topic, partition, offset] = /^([\w.-]+)\/(\d{1,9})@(\d{1,18})$/.exec(text) ?? [];
  if (topic === undefined) return null;
  return { topic, partition: Number(partition), offset: BigInt(offset ?? 0) };
}

export function letterLine(letter: ListedLetter): string {
  const { keptAtMs, state, code, message } = letter;
  return `${placeText(letter)}  ${iso(keptAtMs)}  ${state.padEnd(10)}  ${code}  ${message}`;
}

/** A record's part as it may be shown: decoded where that is possible. */
export type ShownPart =
  | { readonly kind: 'none' }
  | { readonly kind: 'decoded'; readonly value: unknown; readonly bytes: Buffer }
  | { readonly kind: 'raw'; readonly why: string; readonly bytes: Buffer };

export interface ShownLetter {
  readonly letter: WholeLetter;
  readonly key: ShownPart;
  readonly value: ShownPart;
}

export function letterLines({ letter, key, value }: ShownLetter): string[] {
  const { code, message, headers, triedAtMs } = letter;
  const { name, means, mend } = meaningOf(code);
  return [
    `${placeText(letter)}  ${letter.state}`,
    field('refused', `${code}${name === null ? '' : ` ${name}`}: ${message}`),
    field('it means', means),
    field('to mend', mend),
    field('record of', iso(letter.timestampMs)),
    field('set aside', iso(letter.keptAtMs)),
    ...(triedAtMs === null ? [] : [field('tried again', iso(triedAtMs))]),
    ...(letter.closedAtMs === null ? [] : [field('closed', `${iso(letter.closedAtMs)}, ${closing(letter)}`)]),
    ...Object.entries(headers).map(([header, text]) => field('header', `${header}: ${text}`)),
    ...partLines('key', key),
    ...partLines('value', value),
  ];
}

export function letterJson({ letter, key, value }: ShownLetter): object {
  return { ...listedJson(letter), headers: letter.headers, key: partJson(key), value: partJson(value) };
}

export function listedJson(letter: ListedLetter): object {
  const { topic, partition, offset, code, message, state, closedBy, closeReason } = letter;
  return {
    at: placeText(letter),
    topic,
    partition,
    offset: String(offset),
    state,
    code,
    message,
    ...meaningOf(code),
    recordAt: iso(letter.timestampMs),
    keptAt: iso(letter.keptAtMs),
    triedAt: isoOrNull(letter.triedAtMs),
    closedAt: isoOrNull(letter.closedAtMs),
    closedBy,
    closeReason,
    keyBytes: letter.keyBytes,
    valueBytes: letter.valueBytes,
  };
}

/** From the catalogue; a code of a later release is not in it. */
function meaningOf(code: string): { name: string | null; means: string; mend: string } {
  const name = (Object.keys(REJECTIONS) as (keyof typeof REJECTIONS)[]).find(
    (known) => REJECTIONS[known] === code,
  );
  if (name === undefined)
    return { name: null, means: 'not known to this release', mend: 'see docs/errors.md' };
  return { name, ...REJECTION_TEXTS[name] };
}

function closing({ state, closedBy, closeReason }: ListedLetter): string {
  if (closedBy !== null) return `dropped by ${closedBy}: ${closeReason}`;
  return state === 'superseded' ? 'superseded by a later record of its key' : 'ingested by a replay';
}

function partLines(name: string, part: ShownPart): string[] {
  if (part.kind === 'none') return [field(name, 'none')];
  if (part.kind === 'raw') {
    return [field(name, `not decoded: ${part.why}`), ...hexHead(part.bytes).map((line) => field('', line))];
  }
  const lines = json(part.value, 2).split('\n');
  const shown = lines.slice(0, SHOWN_LINES);
  if (shown.length < lines.length) shown.push(`… ${lines.length} lines in all (--json has them)`);
  return shown.map((line, i) => field(i === 0 ? name : '', line));
}

function partJson(part: ShownPart): object | null {
  if (part.kind === 'none') return null;
  const base64 = part.bytes.toString('base64');
  return part.kind === 'raw' ? { notDecoded: part.why, base64 } : { decoded: part.value, base64 };
}

/** JSON with what it has no form for as text. */
export function json(value: unknown, indent: number): string {
  return JSON.stringify(
    value,
    (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part),
    indent,
  );
}

const SHOWN_LINES = 200;
const HEX_HEAD_BYTES = 256;
const HEX_LINE_BYTES = 16;

/** The first bytes as offset, hex and text. */
function hexHead(bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, HEX_HEAD_BYTES); at += HEX_LINE_BYTES) {
    const line = bytes.subarray(at, at + HEX_LINE_BYTES);
    const hex = (line.toString('hex').match(/../g) ?? []).join(' ').padEnd(HEX_LINE_BYTES * 3);
    const text = line.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex} ${text}`);
  }
  if (bytes.length > HEX_HEAD_BYTES) lines.push(`… ${bytes.length} bytes in all (--json has them, base64)`);
  return lines;
}

function field(name: string, text: string): string {
  return `  ${name.padEnd(12)}  ${text}`;
}

/** A record's time is its writer's word, and may be no date. */
function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
