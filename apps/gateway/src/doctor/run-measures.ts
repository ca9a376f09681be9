import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type Moment, millisOf, type RunId, SweeperRunEvent, streams } from '#contracts';
import { type Capped, isFree, pendingQuestions, type Run, type Truth, type Untended, type Waiting } from '#domain';
import { type EventLog, Runs } from '#log';
import type { Clock, Logger } from '#platform';
import { AgentList } from '../agents/agent-list.js';
import { LogIndex } from '../log-index.js';
import { Heartbeats } from '../runs/heartbeats.js';
import { RunList } from '../runs/run-list.js';
import { RunViews } from '../runs/run-views.js';
import { CLOCK, EVENT_LOG, LOGGER } from '../tokens.js';

const SAMPLE = 20;
const MOST_LOADED = 500;
const DEATHS_KEPT = 20;
/** A halted run that nobody wanted for this long is forgotten, not waited for. */
const HALTED_MS = 30 * 86_400_000;

/** What is true of the runs, by the log. */
@Injectable()
export class RunMeasures implements OnModuleDestroy {
  /** How long the newest silent deaths were silent before they were declared, milliseconds. */
  private readonly silences: number[] = [];
  private readonly deaths: LogIndex;

  // oxlint-disable-next-line max-params -- what Nest injects is no list that a caller has to get right
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(RunList) private readonly runList: RunList,
    @Inject(RunViews) private readonly views: RunViews,
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(AgentList) private readonly agents: AgentList,
    @Inject(Heartbeats) private readonly heartbeats: Heartbeats,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.deaths = new LogIndex(log, ['RunPresumedDead'], ({ type, data }) => this.noteDeath(type, data), logger);
  }

  onModuleDestroy(): void {
    this.deaths.close();
  }

  /** @throws Unavailable */
  async outlined(): Promise<ReadonlyMap<RunId, Run>> {
    return this.runList.outlined();
  }

  /** The run of something that is kept at work, also when it has ended. */
  outlineOf(id: RunId): Run | undefined {
    return this.runList.outlineOf(id);
  }

  /** @throws Unavailable */
  async noticing(): Promise<{ liveSegments: number; silentMs: readonly number[]; noticedMs: readonly number[] }> {
    await this.deaths.catchUp();
    let liveSegments = 0;
    const silentMs: number[] = [];
    for (const [id, { relay }] of await this.runList.outlined()) {
      if (relay.phase !== 'working') continue;
      liveSegments += 1;
      const { beat } = this.heartbeats.pulseOf(id, relay.segment, relay.startedAt);
      if (beat) silentMs.push(beat.ageMs);
    }
    return { liveSegments, silentMs, noticedMs: [...this.silences] };
  }

  /** @throws Unavailable */
  async caps(): Promise<readonly Capped[]> {
    const agents = [...(await this.agents.newestCaps())].map(([name, caps]) => ({
      who: `agent ${name}`,
      caps,
      withoutPrice: false,
    }));
    const open = [...(await this.runList.outlined())].filter(([, { relay }]) => relay.phase !== 'ended');
    const runs = open.map(([id, run]) => ({
      who: `run ${id}`,
      caps: run.caps,
      withoutPrice: run.relay.phase === 'working' && run.price === null && !isFree(run),
    }));
    return [...agents, ...runs];
  }

  /** Compares what is told of the newest open runs with the log's own end a moment before. @throws Unavailable */
  async truth(): Promise<Truth> {
    const open = [...(await this.runList.outlined())].filter(([, { relay }]) => relay.phase !== 'ended');
    const behind: { run: RunId; events: number }[] = [];
    let slowestMs = 0;
    const sample = open.slice(-SAMPLE);
    for (const [run] of sample) {
      const head = (await this.log.last(streams.run(run)))?.revision ?? 0;
      const from = this.clock.monotonic();
      const { asOf } = await this.views.of(run);
      slowestMs = Math.max(slowestMs, this.clock.monotonic() - from);
      if (asOf.revision < head) behind.push({ run, events: head - asOf.revision });
    }
    return { compared: sample.length, behind, slowestMs };
  }

  /** @throws Unavailable */
  async untended(now: Moment): Promise<Untended> {
    const outlines = [...(await this.runList.outlined())].filter(([, { relay }]) => relay.phase !== 'ended');
    const waiting = outlines.flatMap(([run, { relay, since, pause }]) => {
      if (pause || (relay.phase !== 'between' && relay.phase !== 'scheduled' && relay.phase !== 'landed')) return [];
      const whose = relay.phase === 'scheduled' ? ('runner' as const) : ('coordinator' as const);
      return [{ run, for: whose, ms: millisOf(now) - millisOf(since) }];
    });
    return { open: outlines.length, waiting };
  }

  /** @throws Unavailable */
  async waiting(now: Moment): Promise<Waiting> {
    const questions: { run: RunId; since: Moment; until: Moment }[] = [];
    const halted: { run: RunId; since: Moment }[] = [];
    let loaded = 0;
    for (const [run, { relay, since }] of await this.runList.outlined()) {
      if (relay.phase === 'ended' && millisOf(now) - millisOf(since) <= HALTED_MS) halted.push({ run, since });
      if (relay.phase !== 'resting' || relay.why !== 'waiting' || loaded >= MOST_LOADED) continue;
      loaded += 1;
      const whole = await this.runs.load(run);
      for (const { question } of whole ? pendingQuestions(whole) : []) {
        questions.push({ run, since: question.since, until: question.expiresAt });
      }
    }
    return { questions, halted };
  }

  private noteDeath(type: string, data: unknown): void {
    const death = SweeperRunEvent.safeParse({ type, data });
    if (!death.success || death.data.data.evidence !== 'silence') return;
    this.silences.push(death.data.data.silentMs);
    if (this.silences.length > DEATHS_KEPT) this.silences.shift();
  }
}
