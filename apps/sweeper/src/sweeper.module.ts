import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { answerPresence, type Bus } from '#bus';
import { createSweeper, type Surroundings, type Sweeper } from './sweeper.js';
import { createUpkeep, type Upkeep, type UpkeepSurroundings } from './upkeep/upkeep.js';

const SWEEPER = Symbol('the sweeper');
const UPKEEP = Symbol('the upkeep');

/** The sweeper's life: it works from the bootstrap until the shutdown begins. */
@Module({})
export class SweeperModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(SWEEPER) private readonly sweeper: Sweeper,
    @Inject(UPKEEP) private readonly upkeep: Upkeep,
  ) {}

  static in(
    surroundings: Surroundings & Omit<UpkeepSurroundings, 'watch' | 'heard'> & { readonly bus: Pick<Bus, 'answer'> },
  ): DynamicModule {
    const { bus, clock, id } = surroundings;
    const sweeper = createSweeper(surroundings);
    const upkeep = createUpkeep({ ...surroundings, watch: sweeper.openRuns, heard: sweeper.heard });
    answerPresence(bus, { service: 'sweeper', id, clock, facts: () => ({ watch: sweeper.watch() }) });
    return {
      module: SweeperModule,
      providers: [
        { provide: SWEEPER, useValue: sweeper },
        { provide: UPKEEP, useValue: upkeep },
      ],
    };
  }

  onApplicationBootstrap(): void {
    this.sweeper.start();
    this.upkeep.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.upkeep.stop();
    await this.sweeper.stop();
  }
}
