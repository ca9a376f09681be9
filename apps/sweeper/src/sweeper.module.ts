import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { createSweeper, type Surroundings, type Sweeper } from './sweeper.js';

const SWEEPER = Symbol('the sweeper');

/** The sweeper's life: it works from the bootstrap until the shutdown begins. */
@Module({})
export class SweeperModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(SWEEPER) private readonly sweeper: Sweeper) {}

  static in(surroundings: Surroundings): DynamicModule {
    return { module: SweeperModule, providers: [{ provide: SWEEPER, useValue: createSweeper(surroundings) }] };
  }

  onApplicationBootstrap(): void {
    this.sweeper.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.sweeper.stop();
  }
}
