import { hostname } from 'node:os';
import { z } from 'zod';
import { BusUrl, Flag, Host, HungMs, LogLevel, LogUrl, Port, readConfig } from '#platform';

/** The settings of a segment-runner and of its children, by their environment variables. */
export const SegmentRunnerConfig = z.object({
  BATON_BUS_URL: BusUrl,
  BATON_LOG_URL: LogUrl,
  BATON_HEALTH_PORT: Port.default(0),
  BATON_HOST: Host,
  BATON_LOG_LEVEL: LogLevel,
  /** How many segments this runner works on at the same time; each has a process of its own. */
  BATON_POOL_SIZE: z.coerce.number().int().min(1).max(1_000).default(4),
  /** How many segments a child works through, one after the other, before a fresh one takes its place. */
  BATON_SEGMENTS_PER_CHILD: z.coerce.number().int().min(1).max(100_000).default(50),
  /** See `HungMs`; its children are killed by the supervisor after the same time. */
  BATON_HUNG_MS: HungMs,
  /** The memory of a child's heap, in megabytes; a segment that needs more ends in a crash of its own process alone. */
  BATON_CHILD_MEMORY_MB: z.coerce.number().int().min(64).max(65_536).default(1_024),
  /** The model API of agents whose model is not `simulator`; the SDK's own default when absent. */
  ANTHROPIC_BASE_URL: z.string().min(1).optional(),
  ANTHROPIC_API_KEY: z.string().min(1).optional(),
  /** Where the model simulator listens. */
  BATON_MODEL_URL: z.string().min(1).optional(),
  BATON_MODEL_TIMEOUT_MS: z.coerce.number().int().positive().default(600_000),
  /** A file of model prices in place of the shipped `prices.json`. */
  BATON_PRICES: z.string().min(1).optional(),
  /** Take one segment, finish it, exit: for platforms that start a process per job. Also `--once`. */
  BATON_ONCE: Flag,
  /** How long such a process waits for a segment, in milliseconds, before it exits with nothing done. */
  BATON_ONCE_WAIT_MS: z.coerce.number().int().positive().max(3_600_000).default(60_000),
  /** The name of this runner's machine in the log. */
  HOSTNAME: z.string().min(1).default(hostname()),
});
export type SegmentRunnerConfig = Readonly<z.infer<typeof SegmentRunnerConfig>>;

export function segmentRunnerConfig(words: readonly string[] = process.argv): SegmentRunnerConfig {
  const config = readConfig(SegmentRunnerConfig);
  return words.includes('--once') ? { ...config, BATON_ONCE: true } : config;
}
