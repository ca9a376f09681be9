import { z } from 'zod';
import { BusUrl, Host, HungMs, LogLevel, LogUrl, Port, readConfig } from '#platform';

/** The settings of a sweeper, by their environment variables. */
export const SweeperConfig = z.object({
  BATON_BUS_URL: BusUrl,
  BATON_LOG_URL: LogUrl,
  /** 0 lets the system choose. */
  BATON_HEALTH_PORT: Port.default(0),
  BATON_HOST: Host,
  /** For how long a segment may be silent, in milliseconds, before it is presumed dead; beats come every second. */
  BATON_SILENCE_MS: z.coerce.number().int().min(2_000, 'use at least 2000: beats come every second').default(5_000),
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: LogLevel,
});

export const sweeperConfig = (): Readonly<z.infer<typeof SweeperConfig>> => readConfig(SweeperConfig);
