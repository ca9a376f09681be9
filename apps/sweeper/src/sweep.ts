/**
 * Watches over live segments and says which are dead.
 *
 * S1  Ages are measured by the sweeper's own monotonic clock, so that no clock that jumps declares anybody dead.
 * S2  A deaf sweeper declares nobody dead: while the bus is away, after it came back, and after its own loop was held up,
 *     the silence of everybody begins anew.
 * S3  Silence is death only when the segment also recorded nothing since the look at the beginning of the silence.
 * S4  Nobody there to answer, twice, is death sooner, but only of a segment that was heard before, and only when the
 *     ears were open for the full patience. A question that is not answered in time says nothing; an answer is a sign of
 *     life however late it comes.
 * S5  A process that the sweeper would see if it were there, and does not see, is death sooner, also of a segment that was
 *     never heard: after everything was off nobody waits for the full silence.
 * S6  The declaration is recorded at the revision that was looked at; several sweepers declare a death once.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, NoResponders } from '#bus';
import { AskSegment, type RunnerRef } from '#contracts';
import { diagnose, type Ears, isLate, type Patience, prickUp, silentMs, worthAsking } from '#domain';
import { type Clock, type Logger, messageOf } from '#platform';
import type { Death, Evidence } from './death.js';
import { beatOf, type Segment, type Segments } from './segments.js';

/** No answer after this long says nothing; it is listened for until silence is death. */
const ASK_WAIT_MS = 1_000;
const BETWEEN_ASKS_MS = 300;

export interface SweepOptions {
  readonly bus: Pick<Bus, 'isConnected' | 'ask'>;
  readonly segments: Segments;
  readonly death: Death;
  readonly patience: Patience;
  /** Whether the process is certainly gone; false also where nobody can tell. */
  readonly isGone: (runner: RunnerRef) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Sweep {
  private ears: Ears | undefined;

  constructor(private readonly options: SweepOptions) {}

  /** One round, twice a second. Resolves when what it began is done. */
  async tick(): Promise<void> {
    const { bus, clock, segments } = this.options;
    const now = clock.monotonic();
    const ears = prickUp(this.ears, now, bus.isConnected());
    this.ears = ears;
    if (ears.openSince === undefined) return;
    await Promise.all([...segments].filter(({ busy }) => !busy).map((segment) => this.examine(segment, ears, now)));
  }

  /** What it hears now, for those who ask. */
  hearing(): { readonly segments: number; readonly hearingMs?: number; readonly quietestMs?: number } {
    const { clock, segments } = this.options;
    const now = clock.monotonic();
    const quiet = [...segments].map(({ heardAt }) => now - heardAt);
    const openSince = this.ears?.openSince;
    return {
      segments: quiet.length,
      ...(openSince === undefined ? {} : { hearingMs: now - openSince }),
      ...(quiet.length === 0 ? {} : { quietestMs: Math.max(...quiet) }),
    };
  }

  private async examine(segment: Segment, ears: Ears, now: number): Promise<void> {
    const { patience, logger } = this.options;
    const silence = silentMs(ears, segment.heardAt, now);
    segment.busy = true;
    try {
      const verdict = diagnose(beatOf(segment, now), silence, patience);
      const heard = { at: segment.heardAt, beaten: segment.beat !== undefined };
      if (verdict === 'presumed-dead') await this.declare(segment, 'silence', silence);
      else if (isLate(silence, patience.deadMs) && (await this.isProcessGone(segment)))
        await this.declare(segment, 'process-gone', silence);
      else if (worthAsking(ears, heard, now, patience.deadMs)) await this.ask(segment, silence);
      else if (verdict === 'silent' && segment.lookedAt === undefined) await this.look(segment);
    } catch (error) {
      logger.warn({ ...nameOf(segment), reason: messageOf(error) }, 'a silent segment could not be examined now');
    } finally {
      segment.busy = false;
    }
  }

  private async isProcessGone(segment: Segment): Promise<boolean> {
    if (segment.runner === undefined) await this.look(segment);
    return segment.runner !== undefined && this.options.isGone(segment.runner);
  }

  private async ask(segment: Segment, silence: number): Promise<void> {
    if (!(await this.isNobodyThere(segment))) {
      if (segment.lookedAt === undefined) await this.look(segment);
      return;
    }
    await this.look(segment);
    await pause(BETWEEN_ASKS_MS);
    if (await this.isNobodyThere(segment)) await this.declare(segment, 'no-responders', silence + BETWEEN_ASKS_MS);
  }

  private async isNobodyThere(segment: Segment): Promise<boolean> {
    const { bus } = this.options;
    try {
      await Promise.race([this.answerOf(segment), pause(ASK_WAIT_MS)]);
      return false;
    } catch (error) {
      if (error instanceof NoResponders) return bus.isConnected();
      throw error;
    }
  }

  private async answerOf(segment: Segment): Promise<void> {
    const { bus, patience } = this.options;
    const subject = `${AskSegment.subject}.${segment.runId}.${segment.segment}`;
    await bus.ask(subject, {}, AskSegment.answer, { timeoutMs: patience.deadMs });
    this.sign(segment);
  }

  private async look(segment: Segment): Promise<void> {
    if ((await this.options.death.look(segment)) === 'alive') this.sign(segment);
  }

  private async declare(segment: Segment, evidence: Evidence, silence: number): Promise<void> {
    // A beat or a deafness that came while this was on its way.
    const unheard = this.ears && silentMs(this.ears, segment.heardAt, this.options.clock.monotonic()) >= silence;
    if (!unheard) return;
    const finding = await this.options.death.declare(segment, evidence, silence);
    if (finding === 'alive') this.sign(segment);
    if (finding === 'declared')
      this.options.logger.warn({ ...nameOf(segment), evidence, silentMs: silence }, 'presumed dead');
  }

  private sign(segment: Segment): void {
    segment.heardAt = this.options.clock.monotonic();
    segment.lookedAt = undefined;
  }
}

const nameOf = ({ runId, segment }: Segment) => ({ runId, segment });
