import { NestFactory } from '@nestjs/core';
import { BusErrorFilter, BusTransport } from '#bus/nest';
import { AdvanceRun, WORK_CONSUMERS } from '#contracts';
import { CoordinatorModule } from './coordinator.module.js';
import type { Surroundings } from './surroundings.js';

/** Starts a coordinator; `close` stops it, in bounded time. */
export async function serveCoordinator(surroundings: Surroundings): Promise<{ close(): Promise<void> }> {
  const routes = [{ contract: AdvanceRun, durable: WORK_CONSUMERS.advanceRun, concurrency: 32 }];
  const app = await NestFactory.createMicroservice(CoordinatorModule.in(surroundings), {
    strategy: new BusTransport(surroundings.bus, routes),
    logger: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new BusErrorFilter());
  await app.listen();
  return app;
}
