import { z } from 'zod';
import { HungMs, readConfig } from '#platform';

/** The settings of a model simulator, by their environment variables. */
export const ModelSimulatorConfig = z.object({
  /** 0 lets the system choose; the port is reported to whoever started the service. */
  BATON_PORT: z.coerce.number('use a port number').int('use a port number').min(0).max(65_535).default(0),
  BATON_HOST: z.string().min(1).default('127.0.0.1'),
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});
export type ModelSimulatorConfig = z.infer<typeof ModelSimulatorConfig>;

/** @throws Misconfigured */
export const modelSimulatorConfig = (): Readonly<ModelSimulatorConfig> => readConfig(ModelSimulatorConfig);
