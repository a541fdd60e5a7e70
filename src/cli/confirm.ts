/** A question before what cannot be undone. */
import { createInterface } from 'node:readline/promises';

/** null: nobody is there to ask. Anything but a yes is a no. */
export async function confirmed(question: string): Promise<boolean | null> {
  if (!process.stdin.isTTY) return null;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
