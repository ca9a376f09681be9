import { z } from 'zod';
import { HungMs, readConfig } from '#platform';

/** The settings of a coordinator, by their environment variables. */
export const CoordinatorConfig = z.object({
  BATON_BUS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  BATON_LOG_URL: z.string().min(1).default('esdb://127.0.0.1:2113?tls=false'),
  /** 0 lets the system choose. */
  BATON_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  BATON_HOST: z.string().min(1).default('127.0.0.1'),
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export const coordinatorConfig = (): Readonly<z.infer<typeof CoordinatorConfig>> => readConfig(CoordinatorConfig);
