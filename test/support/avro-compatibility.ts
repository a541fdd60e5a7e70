import avsc from 'avsc';
import type { Schema } from 'avsc';

/** Why records written with one schema cannot be read with the other; null where they can. */
export function unreadable(reader: Schema, writer: Schema): string | null {
  try {
    avsc.Type.forSchema(reader).createResolver(avsc.Type.forSchema(writer));
    return null;
  } catch (error) {
    return String(error);
  }
}

/** What keeps the schemas from being FULL_TRANSITIVE compatible: each must read what each other wrote. */
export function incompatibilities(schemas: readonly Schema[]): string[] {
  return schemas.flatMap((reader, at) =>
    schemas.flatMap((writer, other) => {
      const reason = at === other ? null : unreadable(reader, writer);
      return reason === null ? [] : [`${at + 1} cannot read ${other + 1}: ${reason}`];
    }),
  );
}
