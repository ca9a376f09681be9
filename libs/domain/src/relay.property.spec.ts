import fc from 'fast-check';
import type { CapName, Caps, ModelBlock, ModelPrice, Recorded, RunEvent } from '#contracts';
import { type Answer, diligent, facts, historyOf, type Look, SimulatedRun } from '#testing';
import {
  beginSegment,
  capsUsed,
  fold,
  type History,
  isEnded,
  isFenced,
  pendingQuestions,
  reconcile,
  replay,
} from './index.js';

/*
 * Histories that the system could have written: a coordinator, runners and a segment, disturbed at every place by
 * crashes, silence, drains, waiting and people's wishes. The model is diligent, idle, talkative or unavailable by turns.
 */
const WISHES = {
  cancel: facts.cancelRequested(),
  pause: facts.pauseRequested(),
  resume: facts.resumeRequested(),
  message: facts.message(),
  interrupt: facts.message('Stop that.', { interrupt: true }),
  raise: facts.capsRaised({ steps: 60 }),
};
/** What a person says to the first call that waits for one. */
const VERDICTS = {
  grant: (callId: string): facts.Fact => facts.approvalGranted(callId),
  deny: (callId: string): facts.Fact => facts.approvalDenied(callId, 'done'),
  answer: (callId: string): facts.Fact => facts.message('Yes.', { callId: callId as never }),
};
type Move = Look | keyof typeof WISHES | keyof typeof VERDICTS;

const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Move>('coordinator') },
    { weight: 4, arbitrary: fc.constantFrom<Move>('runner') },
    { weight: 8, arbitrary: fc.constantFrom<Move>('act') },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Move>('doubt', 'crash', 'silence', 'drain', 'wait', 'message', 'raise', 'doubt'),
    },
    { weight: 3, arbitrary: fc.constantFrom<Move>('grant', 'deny', 'answer', 'interrupt') },
    { weight: 1, arbitrary: fc.constantFrom<Move>('pause', 'resume', 'cancel') },
  ),
  { maxLength: 80, size: 'max' },
);
const moods = fc.array(
  fc.constantFrom('diligent', 'diligent', 'calls', 'risky', 'asks', 'twice', 'idle', 'silent', 'fails'),
  {
    minLength: 1,
    maxLength: 12,
  },
);
const caps = fc.record({
  segments: fc.integer({ min: 1, max: 12 }),
  steps: fc.integer({ min: 1, max: 30 }),
  restartsWithoutProgress: fc.integer({ min: 1, max: 4 }),
  modelRetries: fc.integer({ min: 0, max: 3 }),
  runMinutes: fc.integer({ min: 2, max: 60 }),
  approvalMinutes: fc.integer({ min: 1, max: 10 }),
  toolRetries: fc.integer({ min: 0, max: 2 }),
});
const worlds = fc.record({ moves, moods, caps, items: fc.integer({ min: 0, max: 5 }) });
type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

const bash = (id: string, command = 'true'): ModelBlock => facts.bash(command, id);
const SPEC = {
  tools: ['bash', 'list_files', 'ask_human'] as const,
  approvals: { bash: { when: { command: 'rm' } } },
  effects: { bash: { inDoubt: 'person' as const } },
  mcp: { mail: { url: 'https://mail.example/' } },
};
const moody = (names: World['moods']): Answer => {
  let asked = 0;
  return (history) => {
    const mood = names[asked % names.length];
    asked += 1;
    if (mood === 'fails') return 'fails';
    if (mood === 'silent') return [];
    if (mood === 'idle') return [{ type: 'text', text: 'Hm.' }];
    if (mood === 'calls') return [facts.call('list_files', {}, 'y'), bash('x')];
    if (mood === 'risky') return [bash('x', 'rm x'), bash('y')];
    if (mood === 'asks') return [facts.call('ask_human', { question: 'So?' }, 'q'), bash('x')];
    const answer = diligent(history);
    return mood === 'twice' && answer !== 'fails' ? [...answer, ...answer, bash('z')] : answer;
  };
};

function lived({ moves: script, moods: names, caps: limits, items }: World): SimulatedRun {
  const ids = Array.from({ length: items }, (_, place) => `item-${place}`);
  const run = new SimulatedRun([facts.requested({ items: ids, caps: limits, spec: SPEC as never })], {
    answer: moody(names),
    turnMs: 1_000,
  });
  for (const move of script) {
    const [pending] = pendingQuestions(run.run);
    if (move in WISHES) run.wish(WISHES[move as keyof typeof WISHES]);
    else if (move in VERDICTS) {
      if (pending) run.wish(VERDICTS[move as keyof typeof VERDICTS](pending.callId));
    } else run.look(move as Look);
  }
  return run;
}

const needsApproval = (callId: string, events: readonly Recorded<RunEvent>[]): boolean =>
  events.some(
    ({ event }) =>
      event.type === 'ModelTurnCompleted' &&
      callId.startsWith(`${event.data.turn}-`) &&
      JSON.stringify(
        event.data.content.filter(({ type }) => type === 'tool_use')[Number(callId.split('-')[1])],
      ).includes('rm x'),
  );

const ofAnyWorld = (check: (run: SimulatedRun) => void): void =>
  fc.assert(
    fc.property(worlds, (world) => check(lived(world))),
    { numRuns: 100 },
  );
const prefixes = (events: readonly Recorded<RunEvent>[], every = 1) =>
  events.map((_, place) => events.slice(0, place + 1)).filter((_, place) => place % every === 0);

describe('any history that the relay can write', () => {
  it('asks the coordinator for nothing a second time', () => {
    ofAnyWorld(({ events, now }) => {
      for (const prefix of prefixes(events, 3)) {
        const { run } = historyOf(prefix);
        const decided = reconcile(run, now).events;
        if (decided.length > 0) expect(reconcile(fold(run, decided), now).events).toEqual([]);
      }
    });
  });

  it('can be resumed from every event to exactly one end, within its caps', () => {
    ofAnyWorld(({ events }) => {
      for (const prefix of prefixes(events, 9)) {
        const resumed = new SimulatedRun(prefix);
        resumed.finish(2_000, facts.resumeRequested());
        expect(resumed.terminal).toHaveLength(1);
        const over = capsUsed(resumed.run, resumed.now).filter(
          ({ cap, used, limit }) => (cap === 'segments' || cap === 'steps') && used > limit,
        );
        expect(over).toEqual([]);
      }
    });
  });

  it('has at most one end, and nothing of the relay after it', () => {
    ofAnyWorld(({ terminal, events, run }) => {
      expect(terminal).toHaveLength(isEnded(run) ? 1 : 0);
      if (isEnded(run)) expect(terminal).toContain(events.at(-1)?.event.type);
    });
  });

  it('settles no item twice and counts what it settles', () => {
    ofAnyWorld(({ events, run }) => {
      const settled = events.flatMap(({ event }) =>
        event.type === 'ItemCompleted' || event.type === 'ItemFailed' ? [event.data.itemId] : [],
      );
      expect(new Set(settled).size).toBe(settled.length);
      expect(run.settled.done + run.settled.failed).toBe(settled.length);
    });
  });

  it('answers each call once', () => {
    ofAnyWorld(({ events }) => {
      const answered = events.flatMap(({ event }) =>
        event.type === 'ToolCallCompleted' || event.type === 'ToolCallSettled' ? [event.data.callId] : [],
      );
      expect(new Set(answered).size).toBe(answered.length);
    });
  });

  it('starts no call twice, save after a doubt under the next attempt', () => {
    ofAnyWorld(({ events }) => {
      const started = events.flatMap(({ event }) =>
        event.type === 'ToolCallStarted' ? [`${event.data.callId}/${event.data.attempt ?? 1}`] : [],
      );
      expect(new Set(started).size).toBe(started.length);
      const doubts = events.filter(({ event }) => event.type === 'ToolCallInDoubt').length;
      expect(started.filter((name) => !name.endsWith('/1')).length).toBeLessThanOrEqual(doubts);
    });
  });

  it('starts nothing that needs agreement without it', () => {
    ofAnyWorld(({ events }) => {
      for (const [place, { event }] of events.entries()) {
        if (event.type !== 'ToolCallStarted' || !needsApproval(event.data.callId, events)) continue;
        const granted = events
          .slice(0, place)
          .some(({ event: before }) => before.type === 'ApprovalGranted' && before.data.callId === event.data.callId);
        expect(granted).toBe(true);
      }
    });
  });

  it('is the same from a snapshot at any revision and the tail', () => {
    ofAnyWorld(({ events, history }) => {
      for (const prefix of prefixes(events, 7)) {
        const snapshot: History = JSON.parse(JSON.stringify(historyOf(prefix)));
        expect(events.slice(prefix.length).reduce<History>(replay, snapshot)).toEqual(history);
      }
    });
  });

  it('numbers its segments without a gap and lets one work at a time', () => {
    ofAnyWorld(({ events }) => {
      const numbers = events.flatMap(({ event }) => (event.type === 'SegmentScheduled' ? [event.data.segment] : []));
      expect(numbers).toEqual(numbers.map((_, place) => place + 1));
    });
  });

  it('lets no segment begin or go on but the one that is its turn (law 3)', () => {
    ofAnyWorld(({ run }) => {
      const { relay } = run;
      for (let segment = 1; segment <= run.segments + 1; segment += 1) {
        const start = { segment, runner: facts.runner, at: run.last.at, deadline: run.last.at };
        const mayBegin = relay.phase === 'scheduled' && relay.segment === segment && !run.cancel;
        expect(beginSegment(run, start) !== undefined).toBe(mayBegin);
        expect(isFenced(run, segment)).toBe(!(relay.phase === 'working' && relay.segment === segment));
      }
    });
  });

  it('shows the model turns that alternate and no message without content', () => {
    ofAnyWorld(({ history }) => {
      const { messages } = history.context;
      expect(messages.filter(({ content }) => content.length === 0)).toEqual([]);
      const roles = messages.map(({ role }) => role);
      expect(roles.filter((role, place) => role === roles[place - 1])).toEqual([]);
    });
  });
});

describe('a run that would never end by itself', () => {
  const idle: Answer = () => [{ type: 'text', text: 'Hm.' }];
  const busy: Answer = () => [bash('x')];
  const endless: Record<
    CapName,
    { caps: Partial<Caps>; answer: Answer; disturb?: Look; turnMs?: number; price?: ModelPrice }
  > = {
    segments: { caps: { segments: 4 }, answer: busy, disturb: 'drain' },
    steps: { caps: { steps: 5 }, answer: busy },
    runMinutes: { caps: { runMinutes: 3 }, answer: busy, turnMs: 20_000 },
    restartsWithoutProgress: { caps: { restartsWithoutProgress: 3 }, answer: busy, disturb: 'crash' },
    tokens: { caps: { tokens: 1_000 }, answer: busy },
    modelRetries: { caps: { modelRetries: 2 }, answer: () => 'fails' },
    idleTurns: { caps: { idleTurns: 3 }, answer: idle },
    dollars: {
      caps: { dollars: 0.01 },
      answer: busy,
      price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    },
  };

  it.each(Object.entries(endless))(
    'is halted by caps.%s',
    (cap, { caps: limits, answer, disturb, turnMs = 0, price }) => {
      const run = new SimulatedRun([facts.requested({ items: ['a'], caps: limits })], { answer, turnMs, price });
      for (let round = 0; disturb && round < 200; round += 1) {
        run.look('coordinator');
        run.look('runner');
        run.look(disturb);
        run.look('wait');
      }
      run.finish(5_000);
      expect(run.events.at(-1)?.event).toMatchObject({ type: 'RunHalted', data: { cap } });
      expect(run.terminal).toEqual(['RunHalted']);
      // Money is reserved before a call: not one goes over.
      expect(run.run.microDollars / 1_000_000).toBeLessThanOrEqual(run.run.caps.dollars);
    },
  );
});
