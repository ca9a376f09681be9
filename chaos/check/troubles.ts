import { textOf } from './calls.js';
import type { LoggedEvent } from './facts.js';

/** What went wrong with a run, as its log shows it. Moments: milliseconds since 1970. */
export interface Trouble {
  readonly kind:
    | 'death'
    | 'orphan'
    | 'drain'
    | 'model'
    | 'doubt'
    | 'timeout'
    | 'backlog'
    | 'standstill'
    | 'halt'
    | 'failure';
  readonly at: number;
  /** When the last of `times` was recorded. */
  readonly lastAt: number;
  readonly times: number;
  readonly outcome: 'healed' | 'ended' | 'open';
  /** From the last step before to the first step after, or to the end; only of those in which the run stands still. */
  readonly stillMs: number | undefined;
  readonly segment: number | undefined;
  /** How the last of `times` was known. */
  readonly evidence: Evidence | undefined;
  /** How long nothing was heard by then, milliseconds. */
  readonly silentMs: number | undefined;
  /** The process that it struck first, and when that had begun its segment. */
  readonly pid: number | undefined;
  readonly begunAt: number | undefined;
  /** The last step before it; of a doubt, when the call was started. */
  readonly since: number;
  /** Tokens of the turn that was asked for a second time. */
  readonly twiceTokens: number;
  /** It is so short that it need not be told. */
  readonly isShort: boolean;
}

const EVIDENCES = ['silence', 'no-responders', 'process-gone'] as const;
export type Evidence = 'crashed' | (typeof EVIDENCES)[number];

type Open = Omit<Trouble, 'outcome' | 'stillMs' | 'twiceTokens' | 'isShort'> & {
  readonly callId?: string;
  readonly wasIdle: boolean;
};

const STEPS: readonly string[] = [
  'ModelTurnCompleted',
  'ContextCompacted',
  'ToolCallCompleted',
  'ToolCallSettled',
  'ItemCompleted',
  'ItemFailed',
];
const STANDING: readonly string[] = ['death', 'orphan', 'drain', 'model', 'backlog', 'standstill'];
const ENDS: readonly string[] = ['RunCompleted', 'RunFailed', 'RunCancelled', 'RunHalted'];
/** A segment that nobody took for longer than this is a trouble of its own, milliseconds. */
const LONG_WAIT_MS = 30_000;
/** A segment at work in which nothing is done for about so long stands still, milliseconds; what is near to it may be told. */
const STILL_MS = 5_000;
const ABOUT_MS = 1_500;

/** Reads one run's log from its beginning. @param until the end of the report */
export class Troubles {
  private readonly told: Trouble[] = [];
  private open: Open[] = [];
  private steppedAt: number | undefined;
  private begunAt: number | undefined;
  private scheduledAt: number | undefined;
  private pid: number | undefined;
  private recordedAt: number | undefined;
  /** Those that are open, and when they were started. */
  private readonly calls = new Map<string, number>();

  static of(events: readonly LoggedEvent[], until: number): readonly Trouble[] {
    const troubles = new Troubles();
    for (const event of events) troubles.take(event);
    for (const one of troubles.open) troubles.close(one, until, 'open');
    return troubles.told.toSorted((a, b) => a.at - b.at);
  }

  private take(event: LoggedEvent): void {
    const { type, data } = event;
    const at = recorded(event);
    this.stood(event);
    this.follow(event);
    this.begin(event);
    if (type === 'SegmentEnded' || type === 'RunPresumedDead') this.begunAt = undefined;
    if (STEPS.includes(type)) this.step(event);
    if (ENDS.includes(type)) for (const one of this.open) this.close(one, at, 'ended');
    if (type === 'RunHalted' || type === 'RunFailed') {
      this.close(this.opened(type === 'RunHalted' ? 'halt' : 'failure', event), at, 'ended');
    }
    if (type === 'ToolCallCompleted' || type === 'ToolCallSettled') this.calls.delete(textOf(data['callId']));
  }

  private follow(event: LoggedEvent): void {
    const { type, data } = event;
    if (type === 'SegmentScheduled') {
      this.scheduledAt = recorded(event);
      this.pid = this.begunAt = undefined;
    }
    if (type === 'SegmentStarted') {
      this.pid = (data['runner'] as { readonly pid?: number } | undefined)?.pid;
      this.begunAt = recorded(event);
    }
    if (type === 'ToolCallStarted') this.calls.set(textOf(data['callId']), recorded(event));
  }

  /** Between two events of a segment there is more time than the later one has taken, and no other trouble. */
  private stood(event: LoggedEvent): void {
    const from = this.recordedAt;
    const to = beginningOf(event, this.calls.size);
    this.recordedAt = recorded(event);
    // The first step of a segment waits for its workspace, too.
    const hasStepped = this.begunAt !== undefined && (this.steppedAt ?? 0) >= this.begunAt;
    if (from === undefined || !hasStepped || to === undefined || to - from < STILL_MS - ABOUT_MS) return;
    if (this.open.some(({ kind }) => STANDING.includes(kind))) return;
    this.close({ ...this.opened('standstill', event), at: from, since: from }, to, 'healed');
  }

  private begin(event: LoggedEvent): void {
    const { type, data } = event;
    switch (type) {
      case 'RunPresumedDead':
        return this.again('death', { ...this.opened('death', event), ...evidenceOf(event) });
      case 'SegmentEnded':
        return this.ended(event);
      case 'ModelTurnFailed':
        return this.again('model', this.opened('model', event));
      case 'ToolCallInDoubt':
        this.open.push(this.doubted(event));
        return;
      case 'ToolCallCompleted':
        return data['outcome'] === 'timed-out'
          ? this.close(this.opened('timeout', event), recorded(event), 'healed')
          : undefined;
      case 'SegmentStarted':
        return this.waited(event);
      default:
    }
  }

  private ended(event: LoggedEvent): void {
    const { reason, detail } = event.data;
    if (reason === 'crashed') this.again('death', { ...this.opened('death', event), ...evidenceOf(event) });
    if (reason === 'drain') this.open.push(this.opened(detail === undefined ? 'drain' : 'orphan', event));
  }

  private doubted(event: LoggedEvent): Open {
    const callId = textOf(event.data['callId']);
    const doubt = this.opened('doubt', event);
    return { ...doubt, callId, since: this.calls.get(callId) ?? doubt.since };
  }

  private waited(event: LoggedEvent): void {
    const { scheduledAt } = this;
    const at = recorded(event);
    if (scheduledAt === undefined || at - scheduledAt < LONG_WAIT_MS) return;
    this.close({ ...this.opened('backlog', event), at: scheduledAt, since: scheduledAt }, at, 'healed');
  }

  private opened(kind: Trouble['kind'], event: LoggedEvent): Open {
    const { data } = event;
    const at = recorded(event);
    const segment = data['segment'] === undefined ? undefined : Number(textOf(data['segment']));
    const { pid, begunAt, calls } = this;
    const since = this.steppedAt ?? this.begunAt ?? this.scheduledAt ?? at;
    const rest = { evidence: undefined, silentMs: undefined, wasIdle: calls.size === 0 && pid !== undefined };
    return { kind, at, lastAt: at, times: 1, segment, pid, begunAt, since, ...rest };
  }

  /** Deaths in a row, and attempts at the same turn, are one. */
  private again(kind: Trouble['kind'], fresh: Open): void {
    const earlier = this.open.find((one) => one.kind === kind);
    if (!earlier) this.open.push(fresh);
    else {
      const { at, since, pid, begunAt, wasIdle } = earlier;
      const again = { ...fresh, at, since, pid, begunAt, wasIdle, times: earlier.times + 1 };
      this.open[this.open.indexOf(earlier)] = again;
    }
  }

  private step(event: LoggedEvent): void {
    const { type, data } = event;
    const at = recorded(event);
    for (const one of this.open) {
      const isTurn = type === 'ModelTurnCompleted' || type === 'ContextCompacted';
      const isOver =
        one.kind === 'model' ? isTurn : one.kind === 'doubt' ? one.callId === textOf(data['callId']) : true;
      const isTwice = one.kind === 'death' && one.wasIdle && type === 'ModelTurnCompleted';
      if (isOver) this.close(one, at, 'healed', isTwice ? tokensOf(data['usage']) : 0);
    }
    this.steppedAt = at;
  }

  private close(one: Open, at: number, outcome: Trouble['outcome'], twiceTokens = 0): void {
    const stillMs = STANDING.includes(one.kind) ? at - one.since : undefined;
    const isShort = one.kind === 'standstill' && at - one.since < STILL_MS + ABOUT_MS;
    this.told.push({ ...one, outcome, stillMs, twiceTokens, isShort });
    this.open = this.open.filter((other) => other !== one);
  }
}

/** By the clock of whoever wrote it: an append may have waited for the log. */
const recorded = ({ data, created }: LoggedEvent): number => Date.parse(textOf(data['at'])) || created;

function beginningOf(event: LoggedEvent, openCalls: number): number | undefined {
  const { type, data } = event;
  const tookMs = Number(data['durationMs'] ?? 0);
  if (type === 'SegmentEnded') return data['reason'] === 'handoff' && openCalls === 0 ? recorded(event) : undefined;
  if (type === 'ModelTurnCompleted' || (type === 'ToolCallCompleted' && tookMs > 0)) return recorded(event) - tookMs;
  return undefined;
}

function evidenceOf({ type, data }: LoggedEvent): Pick<Trouble, 'evidence' | 'silentMs'> {
  if (type !== 'RunPresumedDead') return { evidence: 'crashed', silentMs: undefined };
  return {
    evidence: knownEvidence(data['evidence']),
    silentMs: Number(textOf(data['silentMs'])),
  };
}

function knownEvidence(told: unknown): Evidence {
  const known = EVIDENCES.find((one) => one === told);
  if (known === undefined) throw new Error(`The checker knows no evidence "${textOf(told)}" of a death.`);
  return known;
}

function tokensOf(usage: unknown): number {
  const counts = Object.entries((usage ?? {}) as Readonly<Record<string, unknown>>);
  return counts.reduce((sum, [, tokens]) => sum + (typeof tokens === 'number' ? tokens : 0), 0);
}
