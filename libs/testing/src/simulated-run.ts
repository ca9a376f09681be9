import {
  type CallId,
  type ModelBlock,
  type ModelPrice,
  momentOf,
  type Recorded,
  type RunEvent,
  TERMINAL_EVENTS,
} from '#contracts';
import {
  beginSegment,
  callsDue,
  callsToCheck,
  carrierOf,
  currentItem,
  doubtEvents,
  type History,
  interruptedCalls,
  isEnded,
  isFenced,
  nextAct,
  openingEvents,
  reconcile,
  replay,
  type SegmentEvent,
  withCalls,
} from '#domain';
import { BEGIN, type Fact, historyOf, record, runner } from './histories.js';

/** What the model answers when it is asked. */
export type Answer = (history: History) => readonly ModelBlock[] | 'fails';
/** What may happen next in a simulated world; each look changes little, so that everything can happen in between. */
export type Look = 'coordinator' | 'runner' | 'act' | 'crash' | 'silence' | 'drain' | 'wait' | 'doubt';

export interface SimulatedOptions {
  readonly answer?: Answer;
  /** How long a turn takes, in milliseconds. */
  readonly turnMs?: number;
  readonly tokensPerTurn?: number;
  readonly price?: ModelPrice | undefined;
}

/** A diligent model: it settles what is in work, and closes when nothing is open. */
export const diligent: Answer = ({ run }) => {
  const item = currentItem(run);
  return item
    ? [{ type: 'tool_use', id: `toolu_${run.turns}`, name: 'complete_item', input: { item_id: item.id } }]
    : [{ type: 'text', text: 'All done.' }];
};

/** A run whose coordinator, runner and segment are the pure functions of the domain; nothing else may write to it. */
export class SimulatedRun {
  readonly events: Recorded<RunEvent>[] = [];
  private state: History;
  private began: { readonly segment: number; readonly at: number } | undefined;
  now: number;

  constructor(
    first: readonly Fact[] | readonly Recorded<RunEvent>[],
    private readonly options: SimulatedOptions = {},
  ) {
    const events = first.map((entry, revision) =>
      typeof entry === 'function' ? record(entry(momentOf(BEGIN + revision), revision), revision) : entry,
    );
    this.events.push(...events);
    this.state = historyOf(events);
    this.now = Date.parse(this.state.run.last.at);
  }

  get history(): History {
    return this.state;
  }

  get run() {
    return this.state.run;
  }

  get terminal(): readonly string[] {
    const ends: readonly string[] = TERMINAL_EVENTS;
    return this.events.map(({ event }) => event.type).filter((type) => ends.includes(type));
  }

  /** What a person wishes; the gateway takes nothing for a run that has ended. */
  wish(fact: Fact): void {
    if (!isEnded(this.run)) this.write([fact(momentOf(this.now), this.run.last.revision + 1)]);
  }

  look(what: Look): void {
    this.now += 10;
    const { relay } = this.run;
    switch (what) {
      case 'coordinator':
        return this.write(reconcile(this.run, this.now).events);
      case 'runner':
        return this.begin();
      case 'act':
        return this.act(false);
      case 'drain':
        return this.act(true);
      case 'doubt':
        return this.doubt();
      case 'wait':
        this.now += 61_000;
        return;
      case 'crash':
        if (relay.phase === 'working') {
          this.write([{ type: 'SegmentEnded', data: { ...this.at(relay.segment), reason: 'crashed' } }]);
        }
        return;
      case 'silence':
        if (relay.phase === 'working' || relay.phase === 'scheduled') {
          const data = { ...this.at(relay.segment), evidence: 'silence' as const, silentMs: 5_000 };
          this.write([{ type: 'RunPresumedDead', data }]);
        }
    }
  }

  /** Goes on undisturbed until the run has ended; a segment that nobody here began is dead. @throws when it has not after `looks` looks */
  finish(looks = 20_000, resume?: Fact): void {
    for (let look = 0; look < looks && !isEnded(this.run); look += 1) {
      if (resume && this.run.pause) this.wish(resume);
      const { phase } = this.run.relay;
      if (phase === 'scheduled') this.look('runner');
      else if (phase === 'working') this.look(this.began ? 'act' : 'silence');
      const before = this.events.length;
      this.look('coordinator');
      const { lookAgainAt } = reconcile(this.run, this.now);
      if (before === this.events.length && lookAgainAt !== undefined) this.now = lookAgainAt;
    }
    if (!isEnded(this.run)) throw new Error(`The run is still ${this.run.relay.phase} after ${looks} looks.`);
  }

  private at(segment: number) {
    return { at: momentOf(this.now), segment };
  }

  private begin(): void {
    const { relay } = this.run;
    if (relay.phase !== 'scheduled') return;
    const { segment } = relay;
    const deadline = momentOf(this.now + this.run.caps.segmentSeconds * 1_000);
    const events = beginSegment(this.run, {
      ...this.at(segment),
      runner,
      deadline,
      ...(this.options.price && { price: this.options.price }),
    });
    if (!events) return;
    this.began = { segment, at: this.now };
    this.write(events);
  }

  private act(draining: boolean): void {
    if (!this.began || isFenced(this.run, this.began.segment)) return;
    const { segment, at: began } = this.began;
    const remainingMs = this.run.caps.segmentSeconds * 1_000 - (this.now - began);
    const world = {
      now: this.now,
      remainingMs,
      longestStepMs: this.options.turnMs ?? 0,
      draining,
      asked: new Set(Object.keys(this.run.servers)),
    };
    const act = nextAct(this.run, this.state.context, segment, world);
    switch (act.kind) {
      case 'end': {
        const detail = act.detail === undefined ? {} : { detail: act.detail };
        return this.write([{ type: 'SegmentEnded', data: { ...this.at(segment), reason: act.reason, ...detail } }]);
      }
      case 'calls':
        return this.performCalls(segment);
      case 'stop-calls':
        this.write(act.calls.map(({ callId }) => this.callEnded(segment, callId, 'cancelled')));
        return act.because === 'interrupt' ? this.write(interruptedCalls(this.run, this.at(segment))) : undefined;
      case 'discover':
        return this.write(
          act.servers.map((server) => ({
            type: 'ToolsDiscovered',
            data: { ...this.at(segment), discovery: { state: 'ready', server, tools: [] } },
          })),
        );
      case 'back-off':
        this.now = Math.min(act.until, this.now + Math.max(0, remainingMs));
        return;
      case 'compact':
        this.write(act.announce);
        return this.write([
          {
            type: 'ContextCompacted',
            data: { ...this.at(segment), basedOn: this.run.last.revision, summary: 'So far.', usage: this.usage(100) },
          },
        ]);
      case 'turn':
        this.write(act.announce);
        return this.turn(segment);
    }
  }

  /** The workspace has lost the first call that runs in it. */
  private doubt(): void {
    const segment = this.began?.segment ?? 0;
    const call = this.run.openCalls.find(({ state, tool }) => state === 'started' && carrierOf(tool) === 'workspace');
    if (!call || isFenced(this.run, segment)) return;
    const doubt = { reason: 'It is lost.', probed: { found: 'unknown' as const }, inputDigest: '0'.repeat(64) };
    this.write(doubtEvents(this.run, call, doubt, this.at(segment)));
  }

  private performCalls(segment: number): void {
    const wellFormed = new Map(callsToCheck(this.run).map(({ callId }) => [callId, undefined]));
    this.write(openingEvents(this.run, this.at(segment), () => '0'.repeat(64), wellFormed));
    const first = callsDue(this.run).find(({ state, tool }) => state === 'started' && carrierOf(tool) === 'workspace');
    if (first) this.write([this.callEnded(segment, first.callId, 'ok')]);
  }

  private callEnded(segment: number, callId: CallId, outcome: 'ok' | 'cancelled'): SegmentEvent {
    const content = [{ type: 'text' as const, text: 'done' }];
    return { type: 'ToolCallCompleted', data: { ...this.at(segment), callId, outcome, content, durationMs: 1 } };
  }

  private turn(segment: number): void {
    const answer = (this.options.answer ?? diligent)(this.state);
    const turn = this.run.turns + 1;
    const basedOn = this.run.last.revision;
    this.now += this.options.turnMs ?? 0;
    if (answer === 'fails') return this.turnFails(segment, turn);
    const completed: SegmentEvent = {
      type: 'ModelTurnCompleted',
      data: {
        ...this.at(segment),
        turn,
        basedOn,
        requestDigest: '0'.repeat(64),
        model: 'simulator',
        content: [...answer],
        stopReason: answer.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
        usage: this.usage(this.options.tokensPerTurn ?? 100),
        durationMs: 10,
      },
    };
    this.write(withCalls(this.run, completed, this.at(segment), () => '0'.repeat(64)));
  }

  private turnFails(segment: number, turn: number): void {
    const attempt = (this.run.modelTrouble?.attempt ?? 0) + 1;
    const retry = attempt <= this.run.caps.modelRetries ? { retryInMs: 500 } : {};
    this.write([
      {
        type: 'ModelTurnFailed',
        data: { ...this.at(segment), turn, attempt, kind: 'overloaded', message: 'Busy.', ...retry },
      },
    ]);
  }

  private usage(inputTokens: number) {
    return { inputTokens, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  }

  private write(events: readonly RunEvent[]): void {
    for (const event of events) {
      const entry = record(event, this.run.last.revision + 1);
      this.events.push(entry);
      this.state = replay(this.state, entry);
    }
  }
}
