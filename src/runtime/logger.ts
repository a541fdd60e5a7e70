/**
 * Structured logs. Context (service, topic, assignment) is bound once with `child` and handed down;
 * names that hold secrets, and secrets inside texts, never reach the output.
 */
import { createRequire } from 'node:module';

import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger, LoggerOptions } from 'pino';

import { maskedLine } from './mask.ts';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'level'> & {
  child(context: Readonly<Record<string, unknown>>): Logger;
};

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

const SECRET_NAMES = ['password', 'secret', 'token', 'authorization'];

export interface LoggerSettings {
  readonly level: LogLevel;
  /** `pretty` counts on a terminal only: a file or a pipe always gets JSON. */
  readonly format: LogFormat;
}

/** Writes to standard error, so that what a command prints can be piped; `destination` is for tests. */
export function createLogger(settings: LoggerSettings, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level: settings.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '***' },
  };
  const out = destination ?? target(settings);
  // The line as a whole: whatever an error brings along is in it.
  return pino(options, { write: (line) => out.write(maskedLine(line)) });
}

function target(settings: LoggerSettings): DestinationStream {
  if (settings.format === 'pretty' && process.stderr.isTTY) {
    // Loaded here because most processes never need it.
    const pretty = createRequire(import.meta.url)('pino-pretty') as (options: object) => DestinationStream;
    return pretty({ destination: 2, sync: true, translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname' });
  }
  // Synchronous: the last lines before a forced end are the ones that matter.
  return pino.destination({ fd: 2, sync: true });
}
