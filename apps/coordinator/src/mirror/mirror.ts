/**
 * Copies waking events of the log onto the bus, each as a doorbell.
 *
 * M1  It resumes from the position in the last message of the stream, wherever that came from: it stores nothing.
 * M2  No event is skipped: one that cannot be rung now is tried until it is rung, by this mirror or by another one.
 * M3  Each message names the one that it follows. Who loses that race reads the last message again: what it was about to
 *     ring has been rung when the position there is not before it, else it tries again.
 * M4  A stream without a position, or with one that the log has not reached, was wiped: doorbells may be lost with it.
 *     The mirror says so, and goes on from the end of the log or from where it is; those who hear it ring for all that
 *     is open.
 */
import { type Doorbell, type Doorbells, type Place, subjectOf, WrongLastSequence } from '#bus';
import { AdvanceRun, RunSegment, WAKING_EVENTS } from '#contracts';
import { comparePositions, type EventLog, followOn, type Position, readRelayNews, type StoredEvent } from '#log';
import { type Logger, persist } from '#platform';

export interface MirrorOptions {
  readonly log: EventLog;
  readonly doorbells: Doorbells;
  readonly logger: Logger;
  /** The bus has lost what it held. */
  readonly onWiped: () => void;
}

export class Mirror {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private place: Place = { sequence: 0 };

  constructor(private readonly options: MirrorOptions) {}

  start(): void {
    this.running ??= this.run().catch((error: unknown) => {
      if (!this.stopping.signal.aborted) throw error;
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** To be called when the bus was away: looks whether it has lost what it held. */
  async check(): Promise<void> {
    await this.persist('looking at the end of the work stream', async () => {
      const place = await this.options.doorbells.place();
      if (place.sequence < this.place.sequence) this.wiped(place);
    });
  }

  private async run(): Promise<void> {
    const after = await this.persist('finding where to resume', () => this.resume());
    const { log, logger } = this.options;
    for await (const delivery of followOn(log, WAKING_EVENTS, after, { signal: this.stopping.signal, logger })) {
      if (delivery.kind === 'event') await this.mirror(delivery.event);
    }
  }

  private async resume(): Promise<Position | undefined> {
    const end = await this.options.log.end();
    const place = await this.options.doorbells.place();
    const reached = place.position;
    const isOfThisLog = reached !== undefined && comparePositions(reached, (await this.options.log.end()) ?? '0') <= 0;
    if (isOfThisLog) {
      this.place = place;
      return reached;
    }
    this.wiped({ sequence: place.sequence });
    return end;
  }

  private async mirror(event: StoredEvent): Promise<void> {
    const doorbell = doorbellOf(event);
    if (!doorbell) return this.options.logger.error({ stream: event.stream, type: event.type }, 'no event of a run');
    let sure = true;
    await this.persist(`ringing ${doorbell.subject}`, async () => {
      if (!sure) await this.lookAgain();
      sure = false;
      while (!this.isRung(event.position)) {
        try {
          this.place = (await this.options.doorbells.mirror(doorbell, event.position, this.place)) ?? this.place;
          sure = true;
          return;
        } catch (error) {
          if (!(error instanceof WrongLastSequence)) throw error;
          await this.lookAgain();
        }
      }
    });
  }

  private isRung(position: Position): boolean {
    return this.place.position !== undefined && comparePositions(position, this.place.position) <= 0;
  }

  private async lookAgain(): Promise<void> {
    const place = await this.options.doorbells.place();
    const { position } = this.place;
    const wentBack =
      position !== undefined && (place.position === undefined || comparePositions(place.position, position) < 0);
    if (wentBack || place.sequence < this.place.sequence) this.wiped(place);
    else this.place = place;
  }

  private wiped(place: Place): void {
    this.options.logger.warn({ ...place }, 'the bus has lost its messages, or is new; ringing for all that is open');
    this.place = place;
    this.options.onWiped();
  }

  private persist<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return persist(work, { doing, logger: this.options.logger, signal: this.stopping.signal });
  }
}

function doorbellOf(event: StoredEvent): Doorbell | undefined {
  const read = readRelayNews(event);
  if (!read) return undefined;
  const { runId, news } = read;
  if (news.type === 'SegmentScheduled' && news.segment !== undefined) {
    const body: RunSegment = { runId, segment: news.segment };
    return { subject: subjectOf(RunSegment, runId), body, messageId: event.id };
  }
  const body: AdvanceRun = { runId };
  return { subject: subjectOf(AdvanceRun, runId), body, messageId: event.id };
}
