import type { Bus } from '#bus';
import {
  AdvanceRun,
  LiveDelta,
  type ModelPrice,
  momentOf,
  type PriceTable,
  type ProcessMark,
  type RunId,
  ServerLost,
} from '#contracts';
import { beginSegment, type History, isFenced, priceOf, type Run, replay } from '#domain';
import { Blobs, type EventLog, HandoffNotes, Runs, WrongRevision } from '#log';
import { type Logger, messageOf, systemClock } from '#platform';
import type { SegmentRunnerConfig } from '../config.js';
import type { FromChild } from '../ipc.js';
import type { createModel } from '../model/create-model.js';
import { segmentRecorder } from '../recorder.js';
import { liveText } from './live-text.js';
import { NoteKeeper } from './note-keeper.js';
import type { Pulse } from './pulse.js';
import { Segment } from './segment.js';
import { Fenced, SegmentLog } from './segment-log.js';
import { Workspace } from './workspace.js';

export interface ChildParts {
  readonly config: SegmentRunnerConfig;
  readonly logger: Logger;
  readonly bus: Pick<Bus, 'ask' | 'emit' | 'listen' | 'isConnected'>;
  readonly log: EventLog;
  readonly prices: PriceTable;
  readonly pulse: Pick<Pulse, 'ready' | 'begin' | 'doing' | 'recorded' | 'end'>;
  readonly createModel: typeof createModel;
  /** Of this process; undefined where the system does not tell it. */
  readonly mark: ProcessMark | undefined;
  readonly tell: (message: FromChild) => void;
}

export interface Order {
  readonly runId: RunId;
  readonly segment: number;
  readonly runnerId: string;
}

interface Begun {
  readonly log: SegmentLog;
  /** See `ReadHistory`. */
  readonly notedAt: number;
}

const GLANCE_MS = 3_000;
/**
 * How long after its deadline a segment may still be at work, in milliseconds. Each activity is given up before the
 * deadline; one that goes on cannot be ended from within. What only waits for the log is not held up by itself.
 */
const OVERTIME_MS = 60_000;

/** One process's work: one segment at a time, from the order to `idle`. */
export class Child {
  private current: { readonly segment: Segment; readonly log: SegmentLog } | undefined;
  private working: Promise<void> = Promise.resolve();
  private draining: { readonly why: string | undefined } | undefined;

  constructor(private readonly parts: ChildParts) {}

  run(order: Order): Promise<void> {
    this.working = this.work(order);
    return this.working;
  }

  /** @param why what to say of it in the log; a process that is asked to stop needs no words */
  drain(why?: string): void {
    this.draining = { why };
    this.current?.segment.drain(why);
  }

  /** What is told once a second, so that the supervisor knows that the loop turns. */
  sign(): FromChild {
    const { log } = this.current ?? {};
    const isAtWork = log !== undefined && !isFenced(log.history.run, log.segment);
    return { type: 'turning', ...(isAtWork ? { revision: log.history.run.last.revision } : {}) };
  }

  settled(): Promise<void> {
    return this.working;
  }

  private async work(order: Order): Promise<void> {
    const { logger, tell } = this.parts;
    let begun: Begun | undefined;
    try {
      begun = await this.begin(order);
    } catch (error) {
      logger.warn({ ...order, error: messageOf(error) }, 'the segment could not be begun');
      tell({ type: 'unable', why: messageOf(error) });
    }
    try {
      if (begun) await this.workThrough(begun);
    } finally {
      // Who did not get the segment, or has left it, must not be heard as if it were at work: the sweeper would wait.
      this.parts.pulse.end();
    }
    tell({ type: 'idle' });
  }

  /** Claims the segment by appending `SegmentStarted` at the expected revision; undefined when it is not wanted. */
  private async begin({ runId, segment, runnerId }: Order): Promise<Begun | undefined> {
    const { config, log, mark, pulse, tell } = this.parts;
    const runs = new Runs(log, segmentRecorder(runnerId, segment));
    for (;;) {
      // A segment that works and cannot be heard would be presumed dead.
      const [history] = await Promise.all([runs.history(runId), pulse.ready]);
      const now = systemClock.now();
      const deadline = momentOf(now + (history?.run.caps.segmentSeconds ?? 0) * 1_000);
      const runner = { runnerId, host: config.HOSTNAME, pid: process.pid, ...(mark ? { mark } : {}) };
      const start = { segment, runner, at: momentOf(now), deadline };
      const events = history && beginSegment(history.run, { ...start, ...this.priced(history.run) });
      if (!history || !events) {
        tell({ type: 'declined' });
        return undefined;
      }
      pulse.begin({ runId, segment, runnerId }, history.run.last.revision);
      try {
        const recorded = await runs.append(runId, events, history.run.last.revision);
        const { run, context } = recorded.reduce<History>(replay, history);
        tell({ type: 'started', revision: run.last.revision });
        return { log: new SegmentLog(runs, runId, segment, { run, context }), notedAt: history.notedAt };
      } catch (error) {
        if (!(error instanceof WrongRevision)) throw error;
      }
    }
  }

  private priced({ agent }: Run): { readonly price?: ModelPrice } {
    const price = priceOf(this.parts.prices, agent.spec.model.name);
    return price ? { price } : {};
  }

  private async workThrough({ log, notedAt }: Begun): Promise<void> {
    const { bus, config, createModel, logger, pulse } = this.parts;
    const { runId, segment } = log;
    const { run } = log.history;
    const segmentMs = run.caps.segmentSeconds * 1_000;
    const blobs = new Blobs(this.parts.log);
    const current = new Segment(
      {
        log,
        model: createModel(run.agent.spec, config, { runId, loadBlob: (digest) => blobs.get(digest) }),
        workspace: new Workspace(bus, log, systemClock),
        pulse,
        clock: systemClock,
        random: Math.random,
        onText: liveText((turn, text) => {
          const delta: LiveDelta = { runId, segment, turn, text };
          const recorded = log.history.run.turns >= turn;
          if (!recorded && bus.isConnected()) bus.emit(`${LiveDelta.subject}.${runId}`, delta);
        }),
        notes: new NoteKeeper(new HandoffNotes(this.parts.log), log, { clock: systemClock, logger }, notedAt),
      },
      segmentMs,
    );
    this.current = { segment: current, log };
    if (this.draining) current.drain(this.draining.why);
    const glance = (): void => void current.glance().catch((error: unknown) => this.glanced(current, error));
    const listening = [
      bus.listen(`${AdvanceRun.subject}.${runId}`, AdvanceRun.body, glance),
      bus.listen(`${ServerLost.subject}.${runId}`, ServerLost.body, () => void current.lookAtServers()),
    ];
    // The doorbell may be lost: look by oneself now and then, so that a wish is seen while one activity takes long.
    const overdueAt = systemClock.monotonic() + segmentMs + OVERTIME_MS;
    const timer = setInterval(() => {
      if (systemClock.monotonic() > overdueAt && !log.isAwaited) this.stuck(log);
      else glance();
    }, GLANCE_MS);
    try {
      const reason = await current.work();
      logger.info({ runId, segment, reason }, 'the segment has ended');
    } catch (error) {
      // A bug or a refusal ends the process: the supervisor records the crash and the coordinator's caps judge it.
      if (!(error instanceof Fenced)) throw error;
      logger.info({ runId, segment }, messageOf(error));
    } finally {
      clearInterval(timer);
      for (const each of listening) each.stop();
      this.current = undefined;
    }
  }

  private stuck({ segment }: SegmentLog): void {
    const why = `Segment ${segment} was still at work ${OVERTIME_MS / 1_000} s after its deadline.`;
    this.parts.tell({ type: 'stuck', why });
  }

  private glanced(current: Segment, error: unknown): void {
    if (error instanceof Fenced) current.abandon();
    else this.parts.logger.debug({ error: messageOf(error) }, 'the run could not be looked at');
  }
}
