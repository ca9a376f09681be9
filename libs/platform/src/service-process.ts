import { messageOf } from './errors.js';
import { type HealthCheck, serveHealth } from './health.js';
import type { Logger } from './logger.js';
import { watchLoop } from './loop-watch.js';
import { report } from './supervised.js';

/** What a service that needs the log and the bus is made of. */
export interface ServiceProcess<Bus extends ProcessBus> {
  readonly name: string;
  readonly logger: Logger;
  readonly health: { readonly port: number; readonly host: string };
  /** See `HungMs`. */
  readonly hungMs: number;
  readonly log: { ping(): Promise<void>; close(): Promise<void> };
  /** Waits for the bus until the signal says that nobody does any more. */
  readonly connectBus: (leaving: AbortSignal) => Promise<Bus>;
  /** Begins to work. */
  readonly serve: (bus: Bus) => Promise<{ close(): Promise<void> }>;
}

interface ProcessBus {
  health(): HealthCheck;
  close(): Promise<void>;
}

const STOP_WITHIN_MS = 5_000;

/**
 * The life of a service's process: its health is served from the first moment, it is reported as ready once it works, its
 * loop is watched from then on, and SIGTERM or SIGINT end it within five seconds, whatever answers or does not.
 */
export async function runServiceProcess<Bus extends ProcessBus>(parts: ServiceProcess<Bus>): Promise<void> {
  const { name, logger, health, log } = parts;
  const leaving = new AbortController();
  const connecting = parts.connectBus(leaving.signal);
  let bus: Bus | undefined;
  let service: { close(): Promise<void> } | undefined;

  const stop = async (signal: string): Promise<void> => {
    if (leaving.signal.aborted) return;
    logger.info({ signal }, `the ${name} stops`);
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    leaving.abort();
    await service?.close();
    await bus?.close();
    await log.close();
    process.exit();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));

  const checks = [
    { name: 'log', check: () => log.ping() },
    {
      name: 'bus',
      check: async () => {
        if (!bus) throw new Error('the bus was not found yet');
        await bus.health().check();
      },
    },
  ];
  const { port } = await serveHealth(health.port, health.host, checks);

  try {
    bus = await connecting;
    service = await parts.serve(bus);
    report({ type: 'ready', port });
    watchLoop(name, parts.hungMs, logger);
  } catch (error) {
    if (!leaving.signal.aborted) {
      logger.error({ reason: messageOf(error) }, `the ${name} cannot start`);
      process.exitCode = 1;
      await stop('failure');
    }
  }
}
