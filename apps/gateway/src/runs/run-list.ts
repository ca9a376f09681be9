import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  millisOf,
  RELAY_EVENTS,
  type Recorded,
  type RunEvent,
  type RunId,
  type RunRow,
  type RunStatusWord,
} from '#contracts';
import { evolve, isEnded, type Run, statusOf } from '#domain';
import { type EventLog, Runs, readRunEvent, runIdOf, type StoredEvent } from '#log';
import { type Logger, messageOf } from '#platform';
import { LogIndex } from '../log-index.js';
import { EVENT_LOG, LOGGER } from '../tokens.js';

/** A run folded from the events of its relay alone, without what is large. */
interface Outline {
  readonly run: Run;
  readonly total: number;
  /** Where all items are once the run has ended by completing. */
  readonly tally?: { readonly total: number; readonly done: number; readonly failed: number };
}

/** All runs by their outlines; whoever asks for a row of an open run gets the truth of its whole stream. */
@Injectable()
export class RunList implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly outlines = new Map<RunId, Outline>();
  private readonly open = new Set<RunId>();
  private readonly index: LogIndex;

  constructor(
    @Inject(EVENT_LOG) log: EventLog,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
  ) {
    this.index = new LogIndex(log, RELAY_EVENTS, (event) => this.apply(event), logger);
  }

  onApplicationBootstrap(): void {
    void this.index.follow();
  }

  onModuleDestroy(): void {
    this.index.close();
  }

  /** The newest first. @throws Unavailable when the log does not answer */
  async list(limit: number, status?: RunStatusWord): Promise<readonly RunRow[]> {
    await this.index.catchUp();
    const newestFirst = [...this.outlines].toReversed();
    const rows: RunRow[] = [];
    for (const [id, outline] of newestFirst) {
      if (rows.length === limit) break;
      if (status !== undefined && !mayBe(status, outline.run)) continue;
      const row = await this.rowOf(id, outline);
      if (status === undefined || row.status === status) rows.push(row);
    }
    return rows;
  }

  /**
   * The runs that were open at the moment or later: first those that are open or did not end well, then the newest, so
   * that what is left out of a bounded look is what needs one least. @throws Unavailable when the log does not answer
   */
  async openSince(since: number): Promise<readonly RunId[]> {
    await this.index.catchUp();
    const all = [...this.outlines].filter(([, { run }]) => !isEnded(run) || millisOf(run.since) >= since).toReversed();
    const isWell = ({ run }: Outline): boolean => run.relay.phase === 'ended' && run.relay.outcome === 'completed';
    const [well, rest] = [all.filter(([, outline]) => isWell(outline)), all.filter(([, outline]) => !isWell(outline))];
    return [...rest, ...well].map(([id]) => id);
  }

  /** All runs that are open or halted as their relay tells of them: no items, calls or steps. @throws Unavailable */
  async outlined(): Promise<ReadonlyMap<RunId, Run>> {
    await this.index.catchUp();
    const isOf = ({ relay }: Run): boolean => relay.phase !== 'ended' || relay.outcome === 'halted';
    return new Map([...this.outlines].flatMap(([id, { run }]) => (isOf(run) ? [[id, run] as const] : [])));
  }

  /** One run as its relay tells of it. */
  outlineOf(id: RunId): Run | undefined {
    return this.outlines.get(id)?.run;
  }

  /** How many runs are open. @throws Unavailable when the log does not answer */
  async countOpen(): Promise<number> {
    await this.index.catchUp();
    return this.open.size;
  }

  private async rowOf(id: RunId, { run: outlined, total, tally }: Outline): Promise<RunRow> {
    const whole = tally ? undefined : await this.runs.load(id);
    const run = whole ?? outlined;
    const { name, version } = run.agent;
    return {
      id,
      agent: { name: name as RunRow['agent']['name'], version },
      status: statusOf(run),
      requestedAt: run.requestedAt,
      ...(isEnded(run) ? { endedAt: run.since } : {}),
      ...(total === 0 ? {} : { items: tally ?? { total, ...run.settled } }),
    };
  }

  /** One run that cannot be read takes nothing from the others. */
  private apply(stored: StoredEvent): void {
    const id = runIdOf(stored);
    try {
      const event = readRunEvent(stored);
      const before = this.outlines.get(id);
      if (!before && event.event.type !== 'RunRequested') return;
      const after = outlineAfter(before, event);
      this.outlines.set(id, after);
      if (isEnded(after.run)) this.open.delete(id);
      else this.open.add(id);
    } catch (error) {
      this.logger.error({ run: id, reason: messageOf(error) }, 'a run cannot be read by the list');
    }
  }
}

function outlineAfter(before: Outline | undefined, recorded: Recorded<RunEvent>): Outline {
  const { event } = recorded;
  if (event.type === 'RunRequested') {
    const { data } = event;
    const spec = { ...data.agent.spec, instructions: '-' };
    const light: RunEvent = {
      type: 'RunRequested',
      data: { ...data, input: '', items: [], agent: { ...data.agent, spec, files: [] } },
    };
    return { run: evolve(undefined, { ...recorded, event: light }), total: data.items.length };
  }
  const run = evolve(before?.run, recorded);
  const total = before?.total ?? 0;
  return event.type === 'RunCompleted' ? { run, total, tally: event.data.items } : { run, total };
}

/** The outline has not seen the steps that tell a starting run from a working one. */
function mayBe(status: RunStatusWord, outline: Run): boolean {
  const word = statusOf(outline);
  return word === status || (word === 'starting' && status === 'working');
}
