import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, isGone, newId, printable, runServiceProcess, systemClock } from '#platform';
import { sweeperConfig } from './config.js';
import { SweeperModule } from './sweeper.module.js';

const name = 'sweeper';
const config = sweeperConfig();
const logger = createLogger(name, config.BATON_LOG_LEVEL);
logger.info({ config: printable(config) }, 'the sweeper starts');

const log = connectLog(config.BATON_LOG_URL);
await runServiceProcess({
  name,
  logger,
  health: { port: config.BATON_HEALTH_PORT, host: config.BATON_HOST },
  hungMs: config.BATON_HUNG_MS,
  log,
  connectBus: (signal) => Bus.connect({ url: config.BATON_BUS_URL, name, logger, signal }),
  serve: (bus) => {
    const surroundings = { bus, log, logger, clock: systemClock, id: `sweeper-${newId()}` };
    const module = SweeperModule.in({
      ...surroundings,
      silenceMs: config.BATON_SILENCE_MS,
      isGone: ({ pid, mark }) => mark !== undefined && isGone(pid, mark),
    });
    return NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  },
});
