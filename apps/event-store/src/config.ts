import { z } from 'zod';
import { Host, HungMs, LogLevel, Port } from '#platform';

const yes = z.enum(['true', 'false'], 'must be true or false').default('false');
const file = z.string().min(1).optional();

const LARGEST_APPEND = 16 * 1024 * 1024;

/** The settings of the event store, from environment variables. */
export const eventStoreConfig = z.object({
  /** The folder that holds the events. */
  BATON_DATA: z.string().min(1).default('.baton/event-store'),
  /** Nothing is kept on the disk; BATON_DATA is passed over. */
  BATON_MEMORY: yes,
  /** 0 lets the system choose. */
  BATON_PORT: Port.default(2113),
  BATON_HOST: Host,
  /** What gossip tells clients to connect to; absent: where the server listens. */
  BATON_ADVERTISE_HOST: z.string().min(1).optional(),
  BATON_ADVERTISE_PORT: Port.min(1).optional(),
  /** PEM files: the certificate chain and its private key. */
  BATON_TLS_CERT: file,
  BATON_TLS_KEY: file,
  /** Lines of `baton event-store user`. */
  BATON_USERS: file,
  BATON_USERS_WITHOUT_TLS: yes,
  /** What an acknowledged append has survived: `full` a power cut, `normal` the death of the process. */
  BATON_SYNC: z.enum(['full', 'normal'], 'must be full or normal').default('full'),
  /** Bytes of data that one append may carry. */
  BATON_MAX_APPEND: z.coerce
    .number('must be a number of bytes')
    .int('must be a whole number of bytes')
    .min(1024, 'must be at least 1024 bytes')
    .max(LARGEST_APPEND, `must be at most ${LARGEST_APPEND} bytes: no client takes a larger event`)
    .default(1024 * 1024),
  /** Hours from one scavenge to the next; 0: only on demand. */
  BATON_SCAVENGE_HOURS: z.coerce.number('must be a number of hours').min(0).max(8784).default(24),
  /** Whether the server stops when the process that started it is gone. */
  BATON_STOP_WITH_PARENT: yes,
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: LogLevel,
});

export type EventStoreConfig = Readonly<z.infer<typeof eventStoreConfig>>;
