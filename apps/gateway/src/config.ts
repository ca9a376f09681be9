import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SomeCaps } from '#contracts';
import { BusUrl, Host, HungMs, LogLevel, LogUrl, Misconfigured, messageOf, Port, readConfig } from '#platform';

/** The settings of a gateway, by their environment variables. */
export const GatewayConfig = z.object({
  BATON_PORT: Port.default(4_700),
  BATON_HOST: Host,
  BATON_LOG_URL: LogUrl,
  BATON_BUS_URL: BusUrl,
  /** The key itself, or the file that it lies in; one of the two must be there. */
  BATON_API_KEY: z.string().min(16, 'use at least 16 characters').optional(),
  BATON_API_KEY_FILE: z.string().min(1).optional(),
  /** The most that an agent or a run may ask of each cap, as JSON, e.g. `{"dollars": 50, "runMinutes": 2880}`. */
  BATON_MAX_CAPS: z
    .string()
    .default('{}')
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch (error) {
        context.addIssue({ code: 'custom', message: `is no JSON: ${messageOf(error)}` });
        return z.NEVER;
      }
    })
    .pipe(SomeCaps),
  /** How many runs of a tenant may be open at the same time; a further one is refused until another has ended. */
  BATON_MAX_OPEN_RUNS: z.coerce.number().int().min(1).default(100_000),
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: LogLevel,
});
export type GatewayConfig = z.infer<typeof GatewayConfig>;

/** @throws Misconfigured */
export const gatewayConfig = (): Readonly<GatewayConfig> => readConfig(GatewayConfig);

/** The API key; one that is set wins over one in a file. @throws Misconfigured */
export function apiKeyOf({ BATON_API_KEY: key, BATON_API_KEY_FILE: file }: GatewayConfig): string {
  if (key !== undefined) return key;
  if (file === undefined) {
    throw new Misconfigured(
      'There is no API key: set BATON_API_KEY_FILE to a file with the key in it, or BATON_API_KEY to the key.',
    );
  }
  const found = contentOf(file).trim();
  if (found.length >= 16) return found;
  throw new Misconfigured(`BATON_API_KEY_FILE is ${file}, which holds no key of at least 16 characters.`);
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Misconfigured(`BATON_API_KEY_FILE cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}
