import 'reflect-metadata';
import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, messageOf, newId, printable, report, serveHealth, systemClock } from '#platform';
import { coordinatorConfig } from './config.js';
import { serveCoordinator } from './service.js';

const STOP_WITHIN_MS = 5_000;

const config = coordinatorConfig();
const logger = createLogger('coordinator', config.BATON_LOG_LEVEL);
logger.info({ config: printable(config) }, 'the coordinator starts');

const leaving = new AbortController();
const log = connectLog(config.BATON_LOG_URL);
const connecting = Bus.connect({ url: config.BATON_BUS_URL, name: 'coordinator', logger, signal: leaving.signal });
let bus: Bus | undefined;
let service: { close(): Promise<void> } | undefined;

const stop = async (signal: string): Promise<void> => {
  if (leaving.signal.aborted) return;
  logger.info({ signal }, 'the coordinator stops');
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
  service = await serveCoordinator({ bus, log, logger, clock: systemClock, id: `coordinator-${newId()}` });
  report({ type: 'ready', port });
} catch (error) {
  if (!leaving.signal.aborted) {
    logger.error({ reason: messageOf(error) }, 'the coordinator cannot start');
    process.exitCode = 1;
    await stop('failure');
  }
}
