import type {
  AgentSpec,
  CallId,
  Caps,
  Digest,
  DiscoveredTool,
  Discovery,
  ItemSpec,
  Json,
  MediaBlock,
  ModelFailureKind,
  ModelPrice,
  Moment,
  RunEventOf,
  RunnerRef,
  SeedFile,
  StopReason,
  Usage,
} from '#contracts';

/** A work item and how far it is. */
export interface Item {
  readonly id: string;
  readonly input: Json;
  readonly state: 'open' | 'started' | 'done' | 'failed';
}

/** A tool call that the model asked for and that has no recorded result yet. */
export interface OpenCall {
  readonly callId: CallId;
  readonly tool: string;
  readonly input: Readonly<Record<string, Json>>;
  /** `asked`: nothing was started. `started`: written ahead, the effect may exist. */
  readonly state: 'asked' | 'started' | 'in-doubt';
  readonly startedAt?: Moment;
  /** The segment that started it. */
  readonly segment?: number;
  /** How often it was started; more than once only after a doubt. */
  readonly attempts?: number;
  /** What a person was asked about it. */
  readonly question?: Question;
}

/** What a person is asked about a call: may it be run, did it take effect, or the question of `ask_human`. */
export interface Question {
  readonly kind: 'approval' | 'doubt' | 'answer';
  readonly state: 'pending' | 'granted' | 'denied' | 'expired' | 'answered';
  readonly inputDigest: Digest;
  readonly since: Moment;
  readonly expiresAt: Moment;
  readonly by?: string;
  /** Why it was denied, or what was answered. */
  readonly words?: string;
  /** The images and documents that came with the answer. */
  readonly attachments?: readonly MediaBlock[];
  /** What a person knows of a call in doubt. */
  readonly decision?: 'done' | 'not-done';
}

/** What is known of an MCP server. */
export interface Server {
  readonly discovery: Discovery;
  /** It could not be reached before. */
  readonly returned: boolean;
  /** The tools that it had when it was reached last: calls of them may still be open. */
  readonly tools: readonly DiscoveredTool[];
  /** Which start or session of it was reached last; absent when nobody can tell. */
  readonly instance?: string;
}

type ScheduleReason = Extract<RunEventOf['coordinator'], { type: 'SegmentScheduled' }>['data']['because'];

/** Where the baton is. */
export type Relay =
  | { readonly phase: 'between'; readonly next: number; readonly because: ScheduleReason; readonly restarts: number }
  | {
      readonly phase: 'scheduled';
      readonly segment: number;
      readonly because: ScheduleReason;
      readonly restarts: number;
    }
  | {
      readonly phase: 'working';
      readonly segment: number;
      readonly restarts: number;
      readonly startedAt: Moment;
      readonly deadline: Moment;
      readonly runner: RunnerRef;
      /** Whether this segment has recorded a step. */
      readonly progressed: boolean;
    }
  | { readonly phase: 'resting'; readonly segment: number; readonly why: 'waiting' | 'paused' }
  | {
      readonly phase: 'landed';
      readonly segment: number;
      readonly how: 'finished' | 'failed' | 'cancelled';
      readonly detail: string;
    }
  | {
      readonly phase: 'ended';
      readonly outcome: 'completed' | 'failed' | 'cancelled' | 'halted';
      readonly reason: string;
    };

/** A failed attempt at the turn that is due; cleared by the next turn that completes. */
interface ModelTrouble {
  readonly attempt: number;
  readonly kind: ModelFailureKind;
  readonly message: string;
  readonly failedAt: Moment;
  /** When the next attempt is due; absent when there will be none. */
  readonly retryAt?: Moment;
}

/** What a run is, folded from its events. Plain data: it is snapshotted as JSON in handoff notes. */
export interface Run {
  readonly agent: {
    readonly name: string;
    readonly version: number;
    readonly spec: AgentSpec;
    readonly files: readonly SeedFile[];
  };
  readonly caps: Caps;
  readonly input: string;
  /** The images and documents that came with the input. */
  readonly attachments: readonly MediaBlock[];
  /** As they were given: what changes is in `progress`, so that an event costs the same however many there are. */
  readonly items: readonly ItemSpec[];
  /** How far each item is, a letter each in the order of the items. */
  readonly progress: string;
  readonly settled: { readonly done: number; readonly failed: number };
  readonly requestedAt: Moment;
  readonly relay: Relay;
  /** When the relay last changed its phase. */
  readonly since: Moment;
  readonly segments: number;
  readonly handoffs: number;
  readonly deaths: number;
  readonly turns: number;
  readonly idleTurns: number;
  readonly tokens: number;
  readonly usage: Usage;
  /** What the run's model costs; null when nobody knows. */
  readonly price: ModelPrice | null;
  /** What the turns have cost, as far as the price was known. */
  readonly microDollars: number;
  /** The tokens of the last request and its answer: about what the next request takes. */
  readonly contextTokens: number;
  /** Tool calls that were started and have ended. */
  readonly executed: number;
  readonly openCalls: readonly OpenCall[];
  /** Commands that were started in the background and that the model has not stopped; the newest few. */
  readonly background: readonly { readonly callId: CallId; readonly command: string }[];
  readonly lastTurn: { readonly stopReason: StopReason; readonly text: string } | null;
  readonly modelTrouble: ModelTrouble | null;
  readonly cancel: { readonly by: string; readonly at: Moment; readonly revision: number } | null;
  readonly pause: boolean;
  /** The revisions of messages that no request to the model has carried yet. */
  readonly unread: readonly number[];
  /** The revision of an unread message for which the model is to give up what it does. */
  readonly interrupt: number | null;
  /** What people have told the run, for the restatement after a compaction; the newest few. */
  readonly told: readonly string[];
  /** The newest messages by their ids, so that one that is sent again is received once. */
  readonly received: readonly { readonly messageId: string; readonly revision: number }[];
  /** When its work is done the run waits for further messages. */
  readonly stayOpen: boolean;
  /** The version of Baton's own words to the model. */
  readonly words: number;
  /** Milliseconds in which the run has rested: waiting for people costs nothing of its time. */
  readonly restedMs: number;
  readonly servers: Readonly<Record<string, Server>>;
  readonly nearedCaps: readonly string[];
  readonly last: { readonly revision: number; readonly type: string; readonly at: Moment };
}

export const isEnded = (run: Run): boolean => run.relay.phase === 'ended';

/** The letters of `Run.progress`. */
export const PROGRESS = { open: 'o', started: 's', done: 'd', failed: 'f' } as const satisfies Record<
  Item['state'],
  string
>;

const STATES: Readonly<Record<string, Item['state']>> = { o: 'open', s: 'started', d: 'done', f: 'failed' };

export function itemAt(run: Run, place: number): Item | undefined {
  const spec = run.items[place];
  const state = STATES[run.progress[place] ?? ''];
  return spec && state ? { id: spec.id, input: spec.input, state } : undefined;
}

/** Every item and how far it is: for those who show them all. */
export const itemsOf = (run: Run): readonly Item[] => run.items.flatMap((_, place) => itemAt(run, place) ?? []);

const places = new WeakMap<Run['items'], ReadonlyMap<string, number>>();

/** Where an item stands in the list, from 0; looked up once for a list and remembered with it. */
export function placeOf({ items }: Run, id: string): number | undefined {
  const known = places.get(items) ?? new Map(items.map((item, place) => [item.id, place]));
  places.set(items, known);
  return known.get(id);
}

/** The item in work: the one that was started and is not settled. */
export const currentItem = (run: Run): Item | undefined => itemAt(run, run.progress.indexOf(PROGRESS.started));

/** The first item that nobody has begun. */
export const nextOpenItem = (run: Run): Item | undefined => itemAt(run, run.progress.indexOf(PROGRESS.open));

export const openItems = (run: Run): number => run.items.length - run.settled.done - run.settled.failed;

/** The segment that may write now, or undefined. */
export const liveSegment = (run: Run): number | undefined =>
  run.relay.phase === 'working' ? run.relay.segment : undefined;

/** The calls that wait for a person. */
export const pendingQuestions = (run: Run): readonly (OpenCall & { readonly question: Question })[] =>
  run.openCalls.filter(
    (call): call is OpenCall & { readonly question: Question } => call.question?.state === 'pending',
  );

/** The calls about which something can be done now. */
export const callsDue = (run: Run): readonly OpenCall[] =>
  run.openCalls.filter(({ question }) => question?.state !== 'pending');
