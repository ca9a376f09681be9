import { z } from 'zod';
import { Misconfigured } from './errors.js';

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
