/** Settings of `promote`. */
import { whole } from './option.ts';

const ms = (min: number, value: number, prose: string) =>
  whole('ms', { min, max: 60_000 }, { default: value, prose });

export const PROMOTE_OPTIONS = {
  holdMs: ms(
    500,
    10_000,
    'How long processors may be kept waiting while a replay takes the served schema’s place; then it lets go and tries again.',
  ),
  lockMs: ms(
    100,
    2_000,
    'How long it queues for a served table before it lets go: whoever comes meanwhile queues behind it.',
  ),
};
