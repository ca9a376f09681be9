import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bus } from '#bus';
import { connectLog } from '#log';
import type { SegmentRunnerConfig } from '../config.js';
import { Pool } from './pool.js';
import { CONFIG, EVENT_LOG, SegmentRunnerService } from './segment-runner.service.js';

@Module({})
class SegmentRunnerModule {}

/** Resolves when the runner takes segments; it stops in an orderly way on SIGTERM. */
export async function serveSegmentRunner(config: SegmentRunnerConfig, pool: Pool): Promise<void> {
  const bus = await Bus.connect({ url: config.BATON_BUS_URL, name: 'segment-runner', logger: pool.settings.logger });
  const providers = [
    { provide: CONFIG, useValue: config },
    { provide: Bus, useValue: bus },
    { provide: EVENT_LOG, useValue: connectLog(config.BATON_LOG_URL) },
    { provide: Pool, useValue: pool },
    SegmentRunnerService,
  ];
  const app = await NestFactory.createApplicationContext({ module: SegmentRunnerModule, providers }, { logger: false });
  app.enableShutdownHooks();
}
