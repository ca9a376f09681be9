import { pino } from 'pino';

/** Structured logging: one JSON object a line on standard output. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  child(facts: object): Logger;
}

export function createLogger(service: string, level = 'info'): Logger {
  return pino({ level, base: { service, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** For tests and tools that must print nothing but their result. */
export const silentLogger: Logger = pino({ level: 'silent' });
