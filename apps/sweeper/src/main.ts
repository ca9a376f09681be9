import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, messageOf, newId, printable, report, serveHealth, systemClock } from '#platform';
import { sweeperConfig } from './config.js';
import { SweeperModule } from './sweeper.module.js';

const STOP_WITHIN_MS = 5_000;

const config = sweeperConfig();
const logger = createLogger('sweeper', config.BATON_LOG_LEVEL);
logger.info({ config: printable(config) }, 'the sweeper starts');

const leaving = new AbortController();
const log = connectLog(config.BATON_LOG_URL);
const connecting = Bus.connect({ url: config.BATON_BUS_URL, name: 'sweeper', logger, signal: leaving.signal });
let bus: Bus | undefined;
let service: { close(): Promise<void> } | undefined;

const stop = async (signal: string): Promise<void> => {
  if (leaving.signal.aborted) return;
  logger.info({ signal }, 'the sweeper stops');
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
const { port } = await serveHealth(config.BATON_HEALTH_PORT, config.BATON_HOST, checks);

try {
  bus = await connecting;
  const surroundings = { bus, log, logger, clock: systemClock, id: `sweeper-${newId()}` };
  const module = SweeperModule.in({ ...surroundings, silenceMs: config.BATON_SILENCE_MS });
  service = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  report({ type: 'ready', port });
} catch (error) {
  if (!leaving.signal.aborted) {
    logger.error({ reason: messageOf(error) }, 'the sweeper cannot start');
    process.exitCode = 1;
    await stop('failure');
  }
}
