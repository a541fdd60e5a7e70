/** What the schema registry says. */

export interface RegistryServer {
  readonly tookMs: number;
  /** READWRITE, READONLY, IMPORT; null: it knows no modes. */
  readonly mode: string | null;
  readonly subjects: number;
}

/** A subject of Anchorline's own. */
export interface RegistrySubject {
  readonly subject: string;
  readonly versions: number;
  /** Its own level of compatibility; null: it has none. */
  readonly level: string | null;
  /** This release's schema is among its versions. */
  readonly registered: boolean;
  /** This release's schema could be registered; null: the registry did not say. */
  readonly compatible: boolean | null;
}
