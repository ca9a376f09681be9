import { type DynamicModule, Module } from '@nestjs/common';
import type { EventLog } from '#log';
import type { Logger } from '#platform';
import type { RequestBus } from './asks.js';
import type { WorkspaceManagerConfig } from './config.js';
import { BUS, CONFIG, EVENT_LOG, LOGGER, WorkspaceManagerService } from './workspace-manager.service.js';

/** What the service is given at its start. */
export interface Surroundings {
  readonly config: WorkspaceManagerConfig;
  readonly logger: Logger;
  readonly bus: RequestBus;
  readonly log: EventLog;
}

@Module({})
export class WorkspaceManagerModule {
  static in({ config, logger, bus, log }: Surroundings): DynamicModule {
    const values = [
      { provide: CONFIG, useValue: config },
      { provide: LOGGER, useValue: logger },
      { provide: BUS, useValue: bus },
      { provide: EVENT_LOG, useValue: log },
    ];
    return { module: WorkspaceManagerModule, providers: [...values, WorkspaceManagerService] };
  }
}
