/** YAML whose mistakes are told without a line of it: a file of settings may hold secrets. */
import { parseDocument } from 'yaml';

/** Throws an Error that says what is wrong, and where. */
export function readYaml(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const [at] = problem.linePos ?? [];
    const where = at === undefined ? '' : ` at line ${at.line}, column ${at.col}`;
    throw new Error(`it is no YAML (${problem.code.toLowerCase().replaceAll('_', ' ')}${where})`);
  }
  try {
    return document.toJS();
  } catch {
    throw new Error('it is no YAML (a value that begins with * refers to another one: put it in quotes)');
  }
}
