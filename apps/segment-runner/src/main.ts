import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, messageOf, printable, report } from '#platform';
import { segmentRunnerConfig } from './config.js';
import { loadPrices } from './model/prices.js';
import { CONFIG, EVENT_LOG, LOGGER, SegmentRunnerService } from './supervisor/segment-runner.service.js';

/** A bus or a log that does not answer must not keep the process; the segments' own limit is shorter. */
const STOP_WITHIN_MS = 9_800;

@Module({})
class SegmentRunnerModule {}

const startUp = createLogger('segment-runner');
try {
  const config = segmentRunnerConfig();
  const logger = createLogger('segment-runner', config.BATON_LOG_LEVEL);
  const { readOn, usdPerMillionTokens } = loadPrices(config.BATON_PRICES);
  const priced = Object.keys(usdPerMillionTokens).length;
  logger.info({ ...printable(config), priced, pricesReadOn: readOn }, 'starting');
  const bus = await Bus.connect({ url: config.BATON_BUS_URL, name: 'segment-runner', logger });
  const providers = [
    { provide: CONFIG, useValue: config },
    { provide: LOGGER, useValue: logger },
    { provide: Bus, useValue: bus },
    { provide: EVENT_LOG, useValue: connectLog(config.BATON_LOG_URL) },
    SegmentRunnerService,
  ];
  const app = await NestFactory.createApplicationContext({ module: SegmentRunnerModule, providers }, { logger: false });
  app.enableShutdownHooks();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref());
  }
  const service = app.get(SegmentRunnerService);
  report({ type: 'ready', ...(service.healthPort === undefined ? {} : { port: service.healthPort }) });
  const code = await service.finished();
  await app.close();
  process.exit(code);
} catch (error) {
  startUp.error({}, `the segment-runner cannot start: ${messageOf(error)}`);
  process.exit(1);
}
