import {
  AgentName,
  AgentSpec,
  type CallId,
  Caps,
  type EventMetadata,
  type ModelBlock,
  type Moment,
  momentOf,
  type Recorded,
  type RunEvent,
  type RunnerRef,
  type SegmentEndReason,
  type Usage,
  WORDS_VERSION,
} from '#contracts';
import { type History, replay } from '#domain';

/** When every history of a test begins, milliseconds since 1970; each of its events comes a second after the one before. */
export const BEGIN = Date.parse('2026-01-05T08:00:00.000Z');
const BETWEEN_MS = 1_000;

/** An event that still has to be told when, and at which revision, it is recorded. */
export type Fact = (at: Moment, revision: number) => RunEvent;

export const DIGEST = '0'.repeat(64);
const metadata: EventMetadata = {
  tenant: 'default',
  correlationId: '0198a6a2-0000-7000-8000-000000000000',
  actor: { kind: 'service', id: 'test' },
  schemaVersion: 1,
};

export const runner: RunnerRef = { runnerId: 'runner-1', host: 'localhost', pid: 4_711 };

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];
type Because = Of<'SegmentScheduled'>['because'];

const fact =
  <T extends RunEvent['type']>(type: T, data: Omit<Of<T>, 'at'>): Fact =>
  (at) =>
    ({ type, data: { at, ...data } }) as unknown as RunEvent;

export interface Request {
  readonly items?: readonly string[];
  readonly caps?: Partial<Caps>;
  readonly input?: string;
  readonly spec?: Partial<AgentSpec>;
}

/** The first event of a run. */
export const requested = ({ items = [], caps = {}, input = 'Do it.', spec = {} }: Request = {}): Fact => {
  const name = AgentName.parse('tester');
  const parsed = AgentSpec.parse({ name, model: { name: 'simulator' }, instructions: 'Work well.', ...spec });
  return fact('RunRequested', {
    agent: { name, version: 1, spec: parsed, files: [] },
    caps: Caps.parse(caps),
    input,
    items: items.map((id) => ({ id, input: { path: `${id}.txt` } })),
    requestDigest: DIGEST,
    words: WORDS_VERSION,
    by: 'ann',
  });
};

export const message = (text = 'Hurry up.', more: Partial<Of<'MessageReceived'>> = {}): Fact =>
  fact('MessageReceived', { messageId: `m-${text}`, text, interrupt: false, by: 'ann', ...more });
export const cancelRequested = (by = 'ann'): Fact => fact('CancelRequested', { by });
export const pauseRequested = (): Fact => fact('PauseRequested', { by: 'ann' });
export const resumeRequested = (): Fact => fact('ResumeRequested', { by: 'ann' });
export const capsRaised = (caps: Partial<Caps>): Fact => fact('CapsRaised', { caps, by: 'ann' });
export const reopened = (segment = 1): Fact => fact('RunReopened', { by: 'ann', segment });

export const scheduled = (segment = 1, because: Because = 'requested', restartsWithoutProgress = 0): Fact =>
  fact('SegmentScheduled', { segment, because, restartsWithoutProgress });
export const completed = (total = 0, done = 0, failed = 0, result = ''): Fact =>
  fact('RunCompleted', { items: { total, done, failed }, result });
export const runFailed = (reason: string): Fact => fact('RunFailed', { reason });
export const cancelled = (executed = 0, inDoubt = 0, by = 'ann'): Fact =>
  fact('RunCancelled', { by, effects: { executed, inDoubt } });
export const halted = (cap: Of<'RunHalted'>['cap'], reason: string): Fact => fact('RunHalted', { cap, reason });

export const started =
  (segment = 1): Fact =>
  (at) => ({
    type: 'SegmentStarted',
    data: { at, segment, runner, deadline: momentOf(Date.parse(at) + 300_000) },
  });
export const ended = (reason: SegmentEndReason, segment = 1, detail?: string): Fact =>
  fact('SegmentEnded', { segment, reason, ...(detail === undefined ? {} : { detail }) });
export const presumedDead = (segment = 1): Fact =>
  fact('RunPresumedDead', { segment, evidence: 'silence', silentMs: 5_000 });

/** What the model says. */
export const text = (words: string): ModelBlock => ({ type: 'text', text: words });
export const call = (name: string, input: Record<string, string | number> = {}, id = `toolu_${name}`): ModelBlock => ({
  type: 'tool_use',
  id,
  name,
  input,
});
export const bash = (command = 'true', id?: string): ModelBlock => call('bash', { command }, id);
export const completeItem = (item_id: string, id?: string): ModelBlock => call('complete_item', { item_id }, id);

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
export interface TurnTold {
  readonly turn?: number;
  readonly segment?: number;
  /** The revision before the turn's own, when absent. */
  readonly basedOn?: number;
  readonly stopReason?: Of<'ModelTurnCompleted'>['stopReason'];
  readonly usage?: Partial<Usage>;
}

export const turn =
  (content: readonly ModelBlock[], told: TurnTold = {}): Fact =>
  (at, revision) => ({
    type: 'ModelTurnCompleted',
    data: {
      at,
      segment: told.segment ?? 1,
      turn: told.turn ?? 1,
      basedOn: told.basedOn ?? revision - 1,
      requestDigest: DIGEST,
      model: 'simulator',
      content: [...content],
      stopReason: told.stopReason ?? (content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'),
      usage: { ...NO_USAGE, ...told.usage },
      durationMs: 10,
    },
  });
export const turnFailed = (attempt = 1, retryInMs?: number, kind: Of<'ModelTurnFailed'>['kind'] = 'overloaded'): Fact =>
  fact('ModelTurnFailed', {
    segment: 1,
    turn: 1,
    attempt,
    kind,
    message: 'It is busy.',
    ...(retryInMs === undefined ? {} : { retryInMs }),
  });
export const compacted =
  (summary: string, usage: Partial<Usage> = {}, basedOn?: number): Fact =>
  (at, revision) => ({
    type: 'ContextCompacted',
    data: { at, segment: 1, basedOn: basedOn ?? revision - 1, summary, usage: { ...NO_USAGE, ...usage } },
  });

const callId = (id: string): CallId => id as CallId;
export const itemStarted = (itemId: string, segment = 1): Fact => fact('ItemStarted', { segment, itemId });
export const itemCompleted = (itemId: string, call = '1-0'): Fact =>
  fact('ItemCompleted', { segment: 1, callId: callId(call), itemId });
export const itemFailed = (itemId: string, reason = 'It is broken.', call = '1-0'): Fact =>
  fact('ItemFailed', { segment: 1, callId: callId(call), itemId, reason });
export const callStarted = (id = '1-0', tool = 'bash', segment = 1, attempt?: number): Fact =>
  fact('ToolCallStarted', {
    segment,
    callId: callId(id),
    tool,
    inputDigest: DIGEST,
    ...(attempt === undefined ? {} : { attempt }),
  });
export const callCompleted = (id = '1-0', words = 'done', outcome: Of<'ToolCallCompleted'>['outcome'] = 'ok'): Fact =>
  fact('ToolCallCompleted', {
    segment: 1,
    callId: callId(id),
    outcome,
    content: [{ type: 'text', text: words }],
    durationMs: 0,
  });
export const callInDoubt = (id = '1-0'): Fact =>
  fact('ToolCallInDoubt', { segment: 1, callId: callId(id), reason: 'The machine is gone.' });
export const callSettled = (id = '1-0', words = 'Unknown.', by: Of<'ToolCallSettled'>['by'] = 'model'): Fact =>
  fact('ToolCallSettled', { segment: 1, callId: callId(id), by, content: [{ type: 'text', text: words }] });
export const discovered = (server: string, effect?: 'none' | 'idempotent' | 'once'): Fact =>
  fact('ToolsDiscovered', {
    segment: 1,
    discovery:
      effect === undefined
        ? { state: 'unavailable', server, reason: 'It does not answer.' }
        : {
            state: 'ready',
            server,
            tools: [
              {
                name: `${server}__send`,
                description: 'Sends.',
                inputSchema: { type: 'object', properties: {} },
                effect,
              },
            ],
          },
  });
export const approvalRequested = (
  id = '1-0',
  more: Partial<Pick<Of<'ApprovalRequested'>, 'about' | 'expiresAt' | 'segment'>> = {},
): Fact =>
  fact('ApprovalRequested', {
    segment: 1,
    callId: callId(id),
    inputDigest: DIGEST,
    expiresAt: momentOf(BEGIN + 3_600_000),
    ...more,
  });
export const approvalGranted = (id = '1-0', inputDigest = DIGEST): Fact =>
  fact('ApprovalGranted', { callId: callId(id), inputDigest, by: 'ann' });
export const approvalDenied = (id = '1-0', decision?: 'done' | 'not-done'): Fact =>
  fact('ApprovalDenied', {
    callId: callId(id),
    inputDigest: DIGEST,
    by: 'ann',
    reason: 'Too risky.',
    ...(decision && { decision }),
  });
export const approvalExpired = (id = '1-0'): Fact => fact('ApprovalExpired', { callId: callId(id) });
export const capNeared = (cap: Of<'CapNeared'>['cap'], used: number, limit: number): Fact =>
  fact('CapNeared', { segment: 1, cap, used, limit });

/** The facts as a log holds them: revisions from 0, a second apart. */
export const recorded = (facts: readonly Fact[]): readonly Recorded<RunEvent>[] =>
  facts.map((make, revision) => record(make(momentOf(BEGIN + revision * BETWEEN_MS), revision), revision));

export const record = (event: RunEvent, revision: number): Recorded<RunEvent> => ({
  id: `event-${revision}`,
  revision,
  event,
  metadata,
});

/** @throws when there is no event. */
export function historyOf(events: readonly Recorded<RunEvent>[]): History {
  const history = events.reduce<History | undefined>(replay, undefined);
  if (!history) throw new Error('A history begins with an event.');
  return history;
}

/** What a decision is asked: the state, and the moment (milliseconds since 1970). */
export type Decision<E extends RunEvent> = (history: History, now: number) => readonly E[];

/** Given these facts, when a decision is asked `after` so many milliseconds, it records just these facts. */
export function given(...facts: readonly Fact[]) {
  const events = recorded(facts);
  const history = historyOf(events);
  const at = (after: number): number => BEGIN + (facts.length - 1) * BETWEEN_MS + after;
  return {
    events,
    history,
    run: history.run,
    context: history.context,
    now: at,
    when: <E extends RunEvent>(decide: Decision<E>, after = BETWEEN_MS) => {
      const decided = decide(history, at(after));
      return {
        decided,
        records: (...wanted: readonly Fact[]): void => {
          const moment = momentOf(at(after));
          expect(decided).toEqual(wanted.map((make, place) => make(moment, facts.length + place)));
        },
      };
    },
  };
}
