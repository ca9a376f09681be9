import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { answerPresence } from '#bus';
import { AdvanceRunHandler } from './advance-run.handler.js';
import { Advances } from './advances.js';
import { type Coordinator, createCoordinator } from './coordinator.js';
import type { Surroundings } from './surroundings.js';

const COORDINATOR = Symbol('the coordinator');

/** The coordinator's life: it works from the bootstrap until the shutdown begins. */
@Module({})
export class CoordinatorModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(COORDINATOR) private readonly coordinator: Coordinator) {}

  static in(surroundings: Surroundings): DynamicModule {
    const coordinator = createCoordinator(surroundings);
    const { bus, clock, id } = surroundings;
    answerPresence(bus, { service: 'coordinator', id, clock });
    return {
      module: CoordinatorModule,
      controllers: [AdvanceRunHandler],
      providers: [
        { provide: COORDINATOR, useValue: coordinator },
        { provide: Advances, useValue: coordinator.advances },
      ],
    };
  }

  onApplicationBootstrap(): void {
    this.coordinator.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.coordinator.stop();
  }
}
