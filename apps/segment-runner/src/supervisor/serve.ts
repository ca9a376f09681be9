import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { answerPresence, Bus } from '#bus';
import { connectLog } from '#log';
import { report, systemClock } from '#platform';
import type { SegmentRunnerConfig } from '../config.js';
import { Pool } from './pool.js';
import { CONFIG, EVENT_LOG, SegmentRunnerService } from './segment-runner.service.js';

/** A bus or a log that does not answer must not keep the process; the segments' own limit is shorter. */
const STOP_WITHIN_MS = 9_800;

@Module({})
class SegmentRunnerModule {}

/**
 * Takes segments and stops in an orderly way on SIGTERM.
 * @returns the exit code, once the only job of this process is done; never when it takes one after the other
 */
export async function serveSegmentRunner(config: SegmentRunnerConfig, pool: Pool): Promise<number> {
  const bus = await Bus.connect({ url: config.BATON_BUS_URL, name: 'segment-runner', logger: pool.settings.logger });
  const providers = [
    { provide: CONFIG, useValue: config },
    { provide: Bus, useValue: bus },
    { provide: EVENT_LOG, useValue: connectLog(config.BATON_LOG_URL) },
    { provide: Pool, useValue: pool },
    SegmentRunnerService,
  ];
  const app = await NestFactory.createApplicationContext({ module: SegmentRunnerModule, providers }, { logger: false });
  answerPresence(bus, {
    service: 'segment-runner',
    id: pool.settings.runnerId,
    clock: systemClock,
    facts: () => pool.presence(),
  });
  app.enableShutdownHooks();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref());
  }
  const service = app.get(SegmentRunnerService);
  report({ type: 'ready', ...(service.healthPort === undefined ? {} : { port: service.healthPort }) });
  const code = await service.finished();
  await app.close();
  return code;
}
