/** What a setting is: declared once, and everything else (names, parsing, help, reference) derives from it. */
import { z } from 'zod';

import { TLS_MODES, isPgUrl } from '../domain/pg-url.ts';

/** What other defaults follow: urls the local stack's ports, consumer groups the name space. */
export interface Basis {
  readonly namespace: string;
  readonly postgresPort: number;
  readonly kafkaPort: number;
  readonly registryPort: number;
  readonly connectPort: number;
}

export interface Option<T> {
  readonly schema: z.ZodType<T>;
  /** What may be given, in words: completes "expected …". */
  readonly expected: string;
  readonly unit: string | null;
  readonly default: T | ((basis: Basis) => T);
  readonly prose: string;
  /** Never printed; may also come from the file that `<NAME>_FILE` names. */
  readonly secret: boolean;
  /** Of a secret that is one, only the password is masked. */
  readonly isUrl: boolean;
}

interface Described<T> {
  readonly default: Option<T>['default'];
  readonly prose: string;
  readonly secret?: boolean;
}

function option<T>(
  schema: z.ZodType<T>,
  expected: string,
  unit: string | null,
  given: Described<T>,
): Option<T> {
  const { default: value, prose, secret = false } = given;
  return { schema, expected, unit, default: value, prose, secret, isUrl: false };
}

export function text(given: Described<string>): Option<string> {
  return option(z.string().trim().min(1), 'a text that is not empty', null, given);
}

export function textOrNone(given: Described<string | null>): Option<string | null> {
  return option(z.string().trim().min(1).nullable(), 'a text', null, given);
}

/** A name that Kafka, Postgres and file systems all take. */
export function name(pattern: RegExp, expected: string, given: Described<string>): Option<string> {
  return option(z.string().regex(pattern), expected, null, given);
}

export function nameOrNone(
  pattern: RegExp,
  expected: string,
  given: Described<string | null>,
): Option<string | null> {
  return option(z.string().regex(pattern).nullable(), expected, null, given);
}

export function whole(
  unit: string | null,
  range: { readonly min: number; readonly max: number },
  given: Described<number>,
): Option<number> {
  const expected = `a whole number${unit === null ? '' : ` of ${unit}`} from ${range.min} to ${range.max}`;
  return option(numeric(range), expected, unit, given);
}

export function wholeOrNone(
  unit: string,
  range: { readonly min: number; readonly max: number },
  given: Described<number | null>,
): Option<number | null> {
  const expected = `a whole number of ${unit} from ${range.min} to ${range.max}, or nothing`;
  return option(numeric(range).nullable(), expected, unit, given);
}

export function port(given: Described<number>): Option<number> {
  return whole(null, { min: 0, max: 65_535 }, given);
}

export function flag(given: Described<boolean>): Option<boolean> {
  const schema = z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean(),
  );
  return option(schema, 'true or false', null, given);
}

export function choice<const T extends string>(values: readonly T[], given: Described<T>): Option<T> {
  return option(z.enum(values), `one of ${values.join(', ')}`, null, given);
}

export function choiceOrNone<const T extends string>(
  values: readonly T[],
  given: Described<T | null>,
): Option<T | null> {
  return option(z.enum(values).nullable(), `one of ${values.join(', ')}`, null, given);
}

/** A YAML list, or one text with commas between. */
export function list(
  pattern: RegExp,
  expected: string,
  given: Described<readonly string[]>,
): Option<readonly string[]> {
  const schema = z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
    z.array(z.string().regex(pattern)).min(1),
  );
  return option(schema, expected, null, given);
}

export function url(protocols: readonly string[], given: Described<string>): Option<string> {
  return { ...option(urlSchema(protocols, isBare), bareExpected(protocols), null, given), isUrl: true };
}

export function postgresUrl(given: Described<string>): Option<string> {
  const protocols = ['postgres', 'postgresql'];
  const expected = `${urlExpected(protocols)}, its sslmode, if there is one, ${TLS_MODES.join(', ')}, and no other ssl… but sslrootcert, sslcert, sslkey`;
  return { ...option(urlSchema(protocols, isPgUrl), expected, null, given), isUrl: true };
}

export function urlOrNone(
  protocols: readonly string[],
  given: Described<string | null>,
): Option<string | null> {
  return {
    ...option(urlSchema(protocols, isBare).nullable(), bareExpected(protocols), null, given),
    isUrl: true,
  };
}

function urlSchema(protocols: readonly string[], valid: (url: URL) => boolean): z.ZodType<string> {
  return z.string().refine((value) => {
    const parsed = URL.parse(value);
    const right = parsed !== null && protocols.includes(parsed.protocol.slice(0, -1));
    return right && parsed.hostname !== '' && valid(parsed);
  });
}

function urlExpected(protocols: readonly string[]): string {
  return `a url that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`;
}

/** A login in an HTTP url would be printed with it, and no client of ours takes it. */
function isBare({ username, password }: URL): boolean {
  return username === '' && password === '';
}

function bareExpected(protocols: readonly string[]): string {
  return `${urlExpected(protocols)}, without a login`;
}

export function checked(
  expected: string,
  valid: (value: string) => boolean,
  given: Described<string>,
): Option<string> {
  return option(z.string().refine(valid), expected, null, given);
}

/** Text from the environment counts as a number where it is written as one. */
function numeric(range: { readonly min: number; readonly max: number }): z.ZodType<number> {
  return z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d+$/.test(value.trim()) ? Number(value) : value),
    z.number().int().min(range.min).max(range.max),
  );
}
