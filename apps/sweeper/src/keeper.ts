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
    await this.ringAll(rings, 'coordinator', WORK_CONSUMERS.advanceRun);
    await this.ringAll(rings, 'runner', WORK_CONSUMERS.runSegment);
  }

  /** A doorbell that nobody has taken yet is not lost: the house is full, or has much to do after an outage. */
  private async ringAll(all: readonly Ring<RunId>[], whose: Ring<RunId>['whose'], consumer: string): Promise<void> {
    const { bus, doorbells, watch } = this.options;
    const rings = all.filter((ring) => ring.whose === whose);
    if (rings.length === 0 || ((await bus.consumerState(consumer))?.pending ?? 0) > 0) return;
    await doorbells.ringAll(rings.map(doorbellOf), ({ body }) => watch.noteRing(body.runId));
  }
}

function doorbellOf({ runId, run, nth, whose }: Ring<RunId>) {
  const messageId = `keeper/${runId}/${run.revision}/${nth}`;
  return whose === 'coordinator'
    ? { subject: subjectOf(AdvanceRun, runId), body: { runId }, messageId }
    : { subject: subjectOf(RunSegment, runId), body: { runId, segment: run.segment }, messageId };
}
