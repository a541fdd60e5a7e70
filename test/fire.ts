/** Keeps the end-to-end test under fire up for longer, seed after seed, on a stack of its own. */
import { spawnSync } from 'node:child_process';
import { Command, InvalidArgumentError } from 'commander';

const whole = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is expected.');
  return Number(text);
};

const program = new Command('npm run test:fire --')
  .description(
    'Write to a farm at random while everything fails at random, then hold table and topic against its rows',
  )
  .option('--minutes <n>', 'how long each seed is kept up', whole, 3)
  .option('--seed <n>', 'the first seed: the same one does the same in the same order', whole, 1)
  .option('--seeds <n>', 'how many, one after the other', whole, 1)
  .addHelpText(
    'after',
    `
Prints what failed, how often, and what was written; ends with the first seed that is not as if nothing had happened.

Examples:
  $ npm run test:fire -- --minutes 10 --seed 7
  $ npm run test:fire -- --seeds 5`,
  )
  .parse();

const { minutes, seed, seeds } = program.opts<{ minutes: number; seed: number; seeds: number }>();
for (let next = seed; next < seed + seeds; next += 1) {
  const { status } = spawnSync('vitest', ['run', '--project', 'e2e', 'test/e2e/fire.e2e.test.ts'], {
    stdio: 'inherit',
    env: { ...process.env, FIRE_SEED: String(next), FIRE_SECONDS: String(minutes * 60) },
  });
  if (status !== 0) {
    process.stderr.write(`seed ${next} failed: npm run test:fire -- --minutes ${minutes} --seed ${next}\n`);
    process.exitCode = 1;
    break;
  }
}
