import { type Bus, type Doorbells, subjectOf } from '#bus';
import { AdvanceRun, type RunId, RunSegment, WORK_CONSUMERS } from '#contracts';
import { overdue, type Ring } from '#domain';
import type { RelayWatch } from '#log';
import type { Clock } from '#platform';

const RINGS_A_ROUND = 200;

export interface KeeperOptions {
  readonly bus: Pick<Bus, 'isConnected' | 'consumerState'>;
  readonly doorbells: Doorbells;
  readonly watch: RelayWatch;
  readonly clock: Clock;
}

/** Every open run has a keeper: what waits for a reaction for too long is rung again, at growing intervals. */
export class Keeper {
  constructor(private readonly options: KeeperOptions) {}

  /** @throws Unavailable; what was not rung is due at the next round. */
  async round(): Promise<void> {
    const { bus, watch, clock } = this.options;
    if (!watch.isReady() || !bus.isConnected()) return;
    const rings = overdue(watch.open, clock.monotonic(), RINGS_A_ROUND);
    const runners = rings.filter(({ whose }) => whose === 'runner');
    for (const ring of rings)
      if (ring.whose === 'coordinator') await this.ring(ring, AdvanceRun, { runId: ring.runId });
    if (runners.length === 0 || !(await this.areRunnersIdle())) return;
    for (const ring of runners) await this.ring(ring, RunSegment, { runId: ring.runId, segment: ring.run.segment });
  }

  /** A doorbell that nobody has taken yet is not lost: the house is full. */
  private async areRunnersIdle(): Promise<boolean> {
    const state = await this.options.bus.consumerState(WORK_CONSUMERS.runSegment);
    return (state?.pending ?? 0) === 0;
  }

  private async ring(
    { runId, run, nth }: Ring<RunId>,
    contract: typeof AdvanceRun | typeof RunSegment,
    body: AdvanceRun | RunSegment,
  ): Promise<void> {
    const messageId = `keeper/${runId}/${run.revision}/${nth}`;
    await this.options.doorbells.ring({ subject: subjectOf(contract, runId), body, messageId });
    this.options.watch.noteRing(runId);
  }
}
