import { z } from 'zod';
import { Misconfigured } from './errors.js';

/* The settings that several services have: each means the same and is the same by default wherever it is read. */

/** `BATON_BUS_URL`: where nats-server listens. */
export const BusUrl = z.string().min(1).default('nats://127.0.0.1:4222');

/** `BATON_LOG_URL`: the connection string of the event log. */
export const LogUrl = z.string().min(1).default('esdb://127.0.0.1:2113?tls=false');

/** `BATON_HOST`: the address that is listened on. */
export const Host = z.string().min(1).default('127.0.0.1');

/** A port to listen on; 0 lets the system choose. */
export const Port = z.coerce.number('use a port number').int('use a port number').min(0).max(65_535);

export const LogLevel = z
  .enum(['debug', 'info', 'warn', 'error', 'silent'], 'use debug, info, warn, error or silent')
  .default('info');

/** On by `1` or `true`. */
export const Flag = z
  .enum(['0', '1', 'true', 'false'], 'use 1 or 0')
  .default('0')
  .transform((value) => value === '1' || value === 'true');

/** `BATON_HUNG_MS`: after this long without a turn of its loop, in milliseconds, a process is killed. */
export const HungMs = z.coerce
  .number()
  .int()
  .min(3_000, 'use at least 3000: a busy loop is late now and then')
  .default(15_000);

/**
 * Reads a service's settings from environment variables, once, at start.
 * @throws Misconfigured with one sentence per wrong variable.
 */
export function readConfig<S extends z.ZodObject>(
  schema: S,
  environment: NodeJS.ProcessEnv = process.env,
): Readonly<z.infer<S>> {
  const present = Object.fromEntries(Object.keys(schema.shape).map((key) => [key, environment[key] || undefined]));
  const result = schema.safeParse(present);
  if (result.success) return Object.freeze(result.data);
  const sentences = result.error.issues.map((issue) => {
    const variable = issue.path.join('.');
    const given = environment[variable];
    return `${variable} ${given === undefined ? 'is not set' : `is ${JSON.stringify(given)}`}: ${issue.message}.`;
  });
  throw new Misconfigured(sentences.join(' '));
}

const SECRET = /KEY|SECRET|TOKEN|PASSWORD/;

/** The settings as they may be printed: secrets are replaced, credentials inside URLs too. */
export function printable(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (value !== undefined && SECRET.test(key)) return [key, '[set]'];
      return [key, typeof value === 'string' ? value.replace(/\/\/[^/@\s]+@/, '//[credentials]@') : value];
    }),
  );
}
