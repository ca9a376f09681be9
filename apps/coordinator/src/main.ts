import 'reflect-metadata';
import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, newId, printable, runServiceProcess, systemClock } from '#platform';
import { coordinatorConfig } from './config.js';
import { serveCoordinator } from './service.js';

const name = 'coordinator';
const config = coordinatorConfig();
const logger = createLogger(name, config.BATON_LOG_LEVEL);
logger.info({ config: printable(config) }, 'the coordinator starts');

const log = connectLog(config.BATON_LOG_URL);
await runServiceProcess({
  name,
  logger,
  health: { port: config.BATON_HEALTH_PORT, host: config.BATON_HOST },
  hungMs: config.BATON_HUNG_MS,
  log,
  connectBus: (signal) => Bus.connect({ url: config.BATON_BUS_URL, name, logger, signal }),
  serve: (bus) => serveCoordinator({ bus, log, logger, clock: systemClock, id: `coordinator-${newId()}` }),
});
