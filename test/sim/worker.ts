/** Plays seeds and tells each one's outcome to the process that started it: FIRST STRIDE. */
import { playSeeds } from '../support/sim-campaign.ts';

const [first, stride] = process.argv.slice(2).map(Number);
if (first === undefined || stride === undefined) throw new RangeError('FIRST STRIDE');
// Whoever started it is gone: nobody listens any more.
process.once('disconnect', () => process.exit());
await playSeeds(first, stride, (outcome) => {
  process.send?.(outcome);
  return false;
});
