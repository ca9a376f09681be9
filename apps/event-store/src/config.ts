import { z } from 'zod';

const port = z.coerce.number('must be a port number').int().min(0).max(65_535);

/** The settings of the event store, from environment variables. */
export const eventStoreConfig = z.object({
  /** The folder that holds the events. */
  BATON_DATA: z.string().min(1).default('.baton/event-store'),
  /** 0 lets the system choose. */
  BATON_PORT: port.default(2113),
  BATON_HOST: z.string().min(1).default('127.0.0.1'),
  /** What an acknowledged append has survived: `full` a power cut, `normal` the death of the process. */
  BATON_SYNC: z.enum(['full', 'normal'], 'must be full or normal').default('full'),
  BATON_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent')
    .default('info'),
});
