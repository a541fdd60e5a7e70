/** R9: growth by a thermal growth coefficient. */
import type { TgcModelFact, TgcStageFact } from '../domain/facts.ts';
import type { GrowthModel } from '../domain/settings.ts';

/** How fish of one stage grow; `code` is the index into GROWTH_SOURCES. */
export type Growth =
  | { readonly code: 1; readonly tgc: number; readonly n: number; readonly m: number }
  | { readonly code: 2; readonly c: number };

/** Heaviest weight, g, that a model may grow a fish to: far past any fish, and the biomass of any count fits its column. */
const GROWTH_LIMIT_G = 1e9;

/** The override's values where it has them, else the model's; exponents that both lack are 1 and 2/3. */
export function growthOf(model: TgcModelFact, override: TgcStageFact | null, setting: GrowthModel): Growth {
  const tgc = override?.tgc ?? model.tgc;
  const usesPower = setting === 'power' || (setting === 'auto' && tgc >= 0.01 && tgc < 1);
  if (!usesPower) return { code: 2, c: tgc < 0.01 ? tgc : tgc / 1000 };
  const n = override?.exponentN ?? model.exponentN ?? 1;
  const m = override?.exponentM ?? model.exponentM ?? 2 / 3;
  return { code: 1, tgc, n, m };
}

/** The weight after a day at a temperature; NaN where the coefficients lead outside any possible weight. */
export function grow(growth: Growth, weight: number, temperature: number): number {
  const warmth = temperature > 0 ? temperature : 0;
  let grown: number;
  if (growth.code === 1) {
    grown = weight + growth.tgc * Math.pow(warmth, growth.n) * Math.pow(weight, growth.m);
  } else {
    const root = Math.cbrt(weight) + growth.c * warmth;
    grown = root * root * root;
  }
  return grown >= 0 && grown <= GROWTH_LIMIT_G ? grown : Number.NaN;
}
