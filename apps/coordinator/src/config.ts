import { z } from 'zod';
import { BusUrl, Host, HungMs, LogLevel, LogUrl, Port, readConfig } from '#platform';

/** The settings of a coordinator, by their environment variables. */
export const CoordinatorConfig = z.object({
  BATON_BUS_URL: BusUrl,
  BATON_LOG_URL: LogUrl,
  /** 0 lets the system choose. */
  BATON_HEALTH_PORT: Port.default(0),
  BATON_HOST: Host,
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: LogLevel,
});

export const coordinatorConfig = (): Readonly<z.infer<typeof CoordinatorConfig>> => readConfig(CoordinatorConfig);
