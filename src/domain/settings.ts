/** Settings that are inputs of the computation: two processes that differ in one of them would write different rows. */
export type GrowthModel = 'auto' | 'power' | 'cube-root';

export interface EngineSettings {
  /** IANA name of the site's time zone; decides which day an instant belongs to. */
  readonly timeZone: string;
  readonly growthModel: GrowthModel;
  /** True where the source takes recorded deaths off population_count, so that an opening adds them back (R5c). */
  readonly recordedDeathsInCount: boolean;
}

export const DEFAULT_ENGINE_SETTINGS: EngineSettings = {
  timeZone: 'UTC',
  growthModel: 'auto',
  recordedDeathsInCount: false,
};

/** Raised by whoever changes what a rule yields; a store computed by another version is not continued. */
export const ENGINE_VERSION = 3;
