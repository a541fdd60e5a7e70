import { createLogger } from '../../src/runtime/logger.ts';
import type { Logger } from '../../src/runtime/logger.ts';

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly msg: string;
}

/** A real logger whose lines are kept. */
export function keepLog(): { readonly log: Logger; readonly lines: readonly LogLine[]; text(): string } {
  const raw: string[] = [];
  const lines: LogLine[] = [];
  const log = createLogger(
    { level: 'trace', format: 'json' },
    {
      write(line: string) {
        raw.push(line);
        lines.push(JSON.parse(line) as LogLine);
      },
    },
  );
  return { log, lines, text: () => raw.join('') };
}
