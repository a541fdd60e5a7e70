/** Scripts that end like the project's commands do. */
import { EXIT } from '../../src/runtime/exit-codes.ts';

/** What is wrong with the options is told in a line, what else goes wrong with where it did. */
export async function asCommand(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    const isUsage = error instanceof RangeError || String(code).startsWith('ERR_PARSE_ARGS');
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`error: ${isUsage ? `${message} (--help says more)` : stack}\n`);
    process.exitCode = isUsage ? EXIT.usage : EXIT.failure;
  }
}
