/**
 * The rounds over all open runs: what heals whatever was missed, from the log alone.
 *
 * R1  At the start, once the log has been read, every open run is advanced, those that wait for a decision first.
 * R2  When the bus has lost what it held, every open run is advanced, and segments that wait for a runner are rung again,
 *     until each has been rung: others who ring meanwhile may come first, and the bus may be away.
 * R3  Every half minute, runs that wait too long for a reaction are asked again, each at growing intervals.
 * R4  In these, a segment is rung again only when the runners have taken all that is on the bus: a full house is no lost doorbell.
 */
import { type Bus, type Doorbells, subjectOf } from '#bus';
import { type RunId, RunSegment, WORK_CONSUMERS } from '#contracts';
import { overdue, type Ring, turnOf } from '#domain';
import type { RelayWatch } from '#log';
import { type Clock, type Logger, messageOf } from '#platform';
import type { Advances } from './advances.js';

const ROUND_EVERY_MS = 30_000;
const RINGS_A_ROUND = 2_000;
const AGAIN_MS = 1_000;

export interface RoundsOptions {
  readonly bus: Pick<Bus, 'consumerState'>;
  readonly doorbells: Doorbells;
  readonly watch: RelayWatch;
  readonly advances: Advances;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Rounds {
  private timer: NodeJS.Timeout | undefined;
  private again: NodeJS.Timeout | undefined;
  /** The runs whose doorbell was lost with what the bus held, and with which loss. */
  private readonly lost = new Map<RunId, number>();
  private last: Promise<void> = Promise.resolve();
  private wipes = 0;

  constructor(private readonly options: RoundsOptions) {}

  start(): void {
    this.enqueue(() => this.advanceAll());
    this.timer = setInterval(() => this.enqueue(() => this.askOverdue()), ROUND_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    clearTimeout(this.again);
  }

  /** The bus has lost what it held. */
  ringForAll(): void {
    const nth = ++this.wipes;
    this.enqueue(async () => {
      await this.advanceAll();
      for (const [runId, { run }] of this.options.watch.open) if (turnOf(run) === 'runner') this.lost.set(runId, nth);
      await this.ringLost();
    });
  }

  private async ringLost(): Promise<void> {
    const rings = [...this.lost].flatMap(([runId, nth]): readonly Ring<RunId>[] => {
      const run = this.options.watch.open.get(runId)?.run;
      return run && turnOf(run) === 'runner' ? [{ runId, whose: 'runner', run, nth }] : [];
    });
    try {
      await this.ringRunners(rings);
      this.lost.clear();
    } catch (error) {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.enqueue(() => this.ringLost()), AGAIN_MS).unref();
      throw error;
    }
  }

  private async advanceAll(): Promise<void> {
    const { watch, advances } = this.options;
    await watch.ready();
    // The others rest or queue: only their alarms have to be set.
    for (const isFirst of [true, false]) {
      for (const [runId, { run }] of watch.open) {
        const turn = turnOf(run);
        if (turn !== 'segment' && (turn === 'coordinator') === isFirst) advances.nudge(runId);
      }
    }
  }

  private async askOverdue(): Promise<void> {
    const { watch, advances, clock } = this.options;
    if (!watch.isReady()) return;
    const rings = overdue(watch.open, clock.monotonic(), RINGS_A_ROUND);
    for (const { runId, whose } of rings) {
      if (whose !== 'coordinator') continue;
      watch.noteRing(runId);
      advances.nudge(runId);
    }
    const runners = rings.filter(({ whose }) => whose === 'runner');
    if (runners.length === 0) return;
    const state = await this.options.bus.consumerState(WORK_CONSUMERS.runSegment);
    if ((state?.pending ?? 0) === 0) await this.ringRunners(runners);
  }

  private async ringRunners(rings: readonly Ring<RunId>[]): Promise<void> {
    const bells = rings.map(({ runId, run, nth }) => {
      const body: RunSegment = { runId, segment: run.segment };
      const messageId = `coordinator/${runId}/${run.revision}/${nth}`;
      return { subject: subjectOf(RunSegment, runId), body, messageId };
    });
    await this.options.doorbells.ringAll(bells, ({ body }) => {
      this.lost.delete(body.runId);
      this.options.watch.noteRing(body.runId);
    });
  }

  /** One round at a time; one that fails is made good by the next. */
  private enqueue(round: () => Promise<void>): void {
    this.last = this.last.then(round).catch((error: unknown) => {
      this.options.logger.warn({ reason: messageOf(error) }, 'a round over the open runs failed; the next one goes on');
    });
  }
}
