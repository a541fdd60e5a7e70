/** The sample batch: one gzipped CSV a table, NULL as an empty field. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/** A row as text, null where the field is empty. Postgres reads the types. */
export type Row = Readonly<Record<string, string | null>>;
export type Tables = ReadonlyMap<string, readonly Row[]>;

export const SAMPLE_BATCH = new URL('../../data/sco-2023-r01/', import.meta.url).pathname;

const unzip = promisify(gunzip);
const SUFFIX = '.csv.gz';

/** Reads every `<table>.csv.gz` of a folder. */
export async function readTables(folder: string): Promise<Tables> {
  const tables = new Map<string, Row[]>();
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).sort()) {
    const text = await unzip(await readFile(join(folder, file)));
    tables.set(
      file.slice(0, -SUFFIX.length),
      parse<Row>(text, {
        columns: true,
        cast: (value, { header, quoting }) => (header || value !== '' || quoting ? value : null),
      }),
    );
  }
  return tables;
}
