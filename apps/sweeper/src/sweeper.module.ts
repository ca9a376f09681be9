import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { answerPresence, type Bus } from '#bus';
import { createSweeper, type Surroundings, type Sweeper } from './sweeper.js';

const SWEEPER = Symbol('the sweeper');

/** The sweeper's life: it works from the bootstrap until the shutdown begins. */
@Module({})
export class SweeperModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(SWEEPER) private readonly sweeper: Sweeper) {}

  static in(surroundings: Surroundings & { readonly bus: Pick<Bus, 'answer'> }): DynamicModule {
    const { bus, clock, id } = surroundings;
    const sweeper = createSweeper(surroundings);
    answerPresence(bus, { service: 'sweeper', id, clock, facts: () => ({ watch: sweeper.watch() }) });
    return { module: SweeperModule, providers: [{ provide: SWEEPER, useValue: sweeper }] };
  }

  onApplicationBootstrap(): void {
    this.sweeper.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.sweeper.stop();
  }
}
