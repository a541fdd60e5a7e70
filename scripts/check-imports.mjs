/**
 * Holds the direction of imports (.dependency-cruiser.mjs).
 * A cruise that saw no module passes every rule, so an empty one fails here: that is how a compiler
 * which the cruiser cannot use would otherwise switch the check off.
 *
 * Usage: node scripts/check-imports.mjs [--config file]   (cruises src/ of the working directory)
 */
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const { values } = parseArgs({ options: { config: { type: 'string', default: '.dependency-cruiser.mjs' } } });
const config = (await import(resolve(values.config))).default;

const { output } = await cruise(
  ['src'],
  { ...config.options, ruleSet: { forbidden: config.forbidden }, validate: true },
  config.options.enhancedResolveOptions,
  { tsConfig: extractTSConfig('tsconfig.json') },
);

const own = output.modules.filter((module) => module.source.startsWith('src/'));
const { violations } = output.summary;
for (const { from, to, rule } of violations) {
  console.error(`${relative('.', from)}: may not import ${relative('.', to)} (${rule.name})`);
}
if (own.length === 0) console.error('no module was cruised: the check checks nothing');
console.log(`${own.length} modules cruised, ${violations.length} violations`);
process.exitCode = own.length > 0 && violations.length === 0 ? 0 : 1;
