import { z } from 'zod';
import { Host, HungMs, LogLevel, Port, readConfig } from '#platform';

/** The settings of a model simulator, by their environment variables. */
export const ModelSimulatorConfig = z.object({
  /** 0 lets the system choose; the port is reported to whoever started the service. */
  BATON_PORT: Port.default(0),
  BATON_HOST: Host,
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: LogLevel,
});
export type ModelSimulatorConfig = z.infer<typeof ModelSimulatorConfig>;

/** @throws Misconfigured */
export const modelSimulatorConfig = (): Readonly<ModelSimulatorConfig> => readConfig(ModelSimulatorConfig);
