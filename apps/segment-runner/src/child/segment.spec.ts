import { type CallState, type Discovery, type ModelBlock, momentOf, type RunEvent, RunId, streams } from '#contracts';
import { beginSegment, currentItem, isEnded, type OpenCall, reconcile } from '#domain';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { newId } from '#platform';
import { facts, Gate } from '#testing';
import { ModelFailure } from '../model/model-failure.js';
import type { Model } from '../model/model-port.js';
import { Segment, type SegmentParts } from './segment.js';
import { Fenced, SegmentLog } from './segment-log.js';

const { requested, message, cancelRequested, presumedDead } = facts;
const HOUR_MS = 3_600_000;
const finished = (text: string, outcome: 'ok' | 'cancelled' = 'ok'): CallState => ({
  state: 'finished',
  startedAt: momentOf(0),
  endedAt: momentOf(10),
  outcome,
  content: [{ type: 'text', text }],
});

/** The end of a process in the middle of whatever it does. */
class Killed extends Error {}

/** A workspace that keeps the promise of law 5: a call that it knows is not carried out again. */
class KeptCalls {
  readonly effects: string[] = [];
  private readonly known = new Map<string, CallState>();
  /** How a call goes; at once and well when absent. */
  goes: ((call: OpenCall, signal: AbortSignal) => Promise<CallState>) | undefined;
  stops: (call: OpenCall) => Promise<CallState> = () => Promise.resolve(finished('Stopped.', 'cancelled'));

  async run(call: OpenCall, signal: AbortSignal): Promise<CallState> {
    const known = this.known.get(call.callId);
    if (known) return known;
    this.effects.push(call.input['command'] as string);
    const state = this.goes ? await this.goes(call, signal) : finished('Done.');
    if (state.state === 'finished') this.known.set(call.callId, state);
    return state;
  }

  discover(servers: readonly string[]): Promise<readonly Discovery[]> {
    return Promise.resolve(servers.map((server) => ({ state: 'ready', server, tools: [] })));
  }

  probe(): Promise<{ readonly found: 'not-done' }> {
    return Promise.resolve({ found: 'not-done' });
  }

  stop(call: OpenCall): Promise<CallState> {
    return this.stops(call);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

interface Options {
  readonly segmentMs?: number;
  readonly model?: Model;
  /** Called before an append is written, and after it. */
  readonly before?: (types: readonly string[]) => Promise<void> | void;
  readonly after?: () => void;
}

/** A run on a log in memory, whose coordinator and supervisor are what the domain says. */
class World {
  readonly log = createMemoryLog();
  readonly runId = RunId.parse(newId());
  readonly workspace = new KeptCalls();
  readonly notes: number[] = [];
  private now = facts.BEGIN;

  async write(...made: readonly facts.Fact[]): Promise<void> {
    for (const fact of made) {
      const revision = ((await this.log.last(streams.run(this.runId)))?.revision ?? -1) + 1;
      const { type, data } = fact(momentOf(this.now), revision);
      const metadata = {
        tenant: 't',
        correlationId: this.runId,
        actor: { kind: 'service', id: 't' },
        schemaVersion: 1,
      };
      await this.log.append(streams.run(this.runId), [{ id: newId(), type, data, metadata }], 'any');
    }
  }

  /** Schedules and begins the next segment; undefined when the run has ended. */
  async segment({ segmentMs = HOUR_MS, model, before, after }: Options = {}): Promise<Segment | undefined> {
    this.now += HOUR_MS / 60;
    const coordinator = new Runs(this.log, { app: 'coordinator', id: 'c' });
    const { run } = await coordinator.change(this.runId, (state) => reconcile(state, this.now).events);
    if (isEnded(run) || run.relay.phase !== 'scheduled') return undefined;
    const { segment } = run.relay;
    const runs = new Runs(this.watched(before, after), { app: 'segment-runner', id: 's' });
    const at = momentOf(this.now);
    const start = { segment, runner: facts.runner, at, deadline: momentOf(this.now + segmentMs) };
    await new Runs(this.log, { app: 'segment-runner', id: 's' }).change(
      this.runId,
      (state) => beginSegment(state, start) ?? [],
    );
    const history = await runs.history(this.runId);
    if (!history) throw new Error('There is no run.');
    const log = new SegmentLog(runs, this.runId, segment, history);
    return new Segment(this.parts(log, model), segmentMs);
  }

  private parts(log: SegmentLog, model: Model | undefined): SegmentParts {
    return {
      log,
      model: model ?? { turn: () => Promise.resolve(said(diligent(log))) },
      workspace: this.workspace,
      pulse: { doing: () => undefined, recorded: () => undefined },
      clock: { now: () => this.now, monotonic: () => performance.now() },
      random: () => 0,
      onText: () => undefined,
      notes: { recorded: () => undefined, leave: async () => void this.notes.push(log.segment) },
    };
  }

  private watched(before: Options['before'], after: Options['after']): EventLog {
    const append: EventLog['append'] = async (stream, events, expected) => {
      await before?.(events.map(({ type }) => type));
      const answer = await this.log.append(stream, events, expected);
      after?.();
      return answer;
    };
    return Object.assign(Object.create(this.log) as EventLog, { append });
  }

  async types(): Promise<readonly RunEvent['type'][]> {
    return (await this.events()).map(({ type }) => type);
  }

  async events(): Promise<readonly RunEvent[]> {
    const all: RunEvent[] = [];
    for await (const { event } of new Runs(this.log, { app: 'gateway', id: 'g' }).events(this.runId)) all.push(event);
    return all;
  }
}

const said = (content: readonly ModelBlock[]): Awaited<ReturnType<Model['turn']>> => ({
  content: [...content],
  stopReason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
  usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
  model: 'scripted',
});

/** One command for each item, then it is settled. */
function diligent({ history: { run } }: SegmentLog): readonly ModelBlock[] {
  const item = currentItem(run);
  if (!item) return [facts.text('All done.')];
  return run.turns % 2 === 0 ? [facts.bash(`work on ${item.id}`)] : [facts.completeItem(item.id)];
}

async function aRun(
  items: readonly string[] = ['a', 'b', 'c'],
  caps: Readonly<Record<string, number>> = {},
): Promise<World> {
  const world = new World();
  await world.write(requested({ items, caps, spec: { tools: ['bash', 'complete_item'] } }));
  return world;
}

async function begun(world: World, options: Options = {}): Promise<Segment> {
  const segment = await world.segment(options);
  if (!segment) throw new Error('No segment was due.');
  return segment;
}

/** The model is being asked and does not answer. */
function silentModel(): { readonly model: Model; readonly asked: Gate } {
  const asked = new Gate();
  const turn: Model['turn'] = async (_, { signal }) => {
    asked.open();
    await aborted(signal);
    throw signal.reason;
  };
  return { model: { turn }, asked };
}

/** Every command runs until nobody waits for it any more. */
function holding(world: World): Gate {
  const running = new Gate();
  world.workspace.goes = async (_, signal) => {
    running.open();
    await aborted(signal);
    return { state: 'running', startedAt: momentOf(0) };
  };
  return running;
}

describe('a segment', () => {
  it('works through the items and finishes', async () => {
    const world = await aRun();
    expect(await (await begun(world)).work()).toBe('finished');
    expect(world.workspace.effects).toEqual(['work on a', 'work on b', 'work on c']);
    expect(await world.segment()).toBeUndefined();
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  });

  it('has every start of a call in the log before the call is carried out', async () => {
    const world = await aRun();
    world.workspace.goes = async ({ callId }) => {
      const started = (await world.events()).find(
        ({ type, data }) => type === 'ToolCallStarted' && 'callId' in data && data.callId === callId,
      );
      return finished(started ? 'It was written ahead.' : 'It was not.');
    };
    await (await begun(world)).work();
    expect(JSON.stringify(await world.events())).not.toContain('It was not.');
  });

  it('hands off before its deadline, leaves a note, and lets a running command go on', async () => {
    const world = await aRun();
    const running = holding(world);
    const segment = await begun(world, { segmentMs: 10_300 });
    const working = segment.work();
    await running.opened;
    expect(await working).toBe('handoff');
    expect(world.notes).toEqual([1]);
    world.workspace.goes = undefined;
    expect(await (await begun(world)).work()).toBe('finished');
  });

  it('hands off at once when its process is asked to stop', async () => {
    const world = await aRun();
    const { model, asked } = silentModel();
    const segment = await begun(world, { model });
    const working = segment.work();
    await asked.opened;
    segment.drain();
    expect(await working).toBe('drain');
    expect(world.notes).toEqual([1]);
  });

  it('is cancelled while the model is being asked', async () => {
    const world = await aRun();
    const { model, asked } = silentModel();
    const segment = await begun(world, { model });
    const working = segment.work();
    await asked.opened;
    await world.write(cancelRequested());
    await segment.glance();
    expect(await working).toBe('cancelled');
    expect(await world.types()).not.toContain('ModelTurnCompleted');
  });

  it.each([
    ['what it came to', finished('Stopped.', 'cancelled'), ['ToolCallCompleted']],
    ['that nobody knows', { state: 'running', startedAt: momentOf(0) }, ['ToolCallInDoubt', 'ToolCallSettled']],
    ['that it never began', { state: 'absent' }, ['ToolCallCompleted']],
  ] as const)('is cancelled while a command runs, which it stops; it records %s', async (_, state, recorded) => {
    const world = await aRun();
    const running = holding(world);
    world.workspace.stops = () => Promise.resolve(state as CallState);
    const segment = await begun(world);
    const working = segment.work();
    await running.opened;
    await world.write(cancelRequested());
    await segment.glance();
    expect(await working).toBe('cancelled');
    expect((await world.types()).slice(-2 - recorded.length)).toEqual(['CancelRequested', ...recorded, 'SegmentEnded']);
  });

  it.each([
    ['a wish to cancel', cancelRequested(), 'cancelled'],
    ['a message', message('One more thing.'), 'finished'],
  ] as const)('sees %s that comes as it ends', async (_, wish, reason) => {
    const world = await aRun(['a']);
    let wished = false;
    const before = async ([type]: readonly string[]): Promise<void> => {
      if (type !== 'SegmentEnded' || wished) return;
      wished = true;
      await world.write(wish);
    };
    expect(await (await begun(world, { before })).work()).toBe(reason);
    const turns = (await world.types()).filter((type) => type === 'ModelTurnCompleted').length;
    expect(turns).toBe(reason === 'cancelled' ? 3 : 4);
  });

  it('is fenced while the model is being asked: it stops and records nothing', async () => {
    const world = await aRun();
    const { model, asked } = silentModel();
    const segment = await begun(world, { model });
    const working = segment.work();
    await asked.opened;
    await world.write(presumedDead());
    await expect(segment.glance()).rejects.toThrow(Fenced);
    segment.abandon();
    await expect(working).rejects.toThrow(Fenced);
    expect((await world.types()).at(-1)).toBe('RunPresumedDead');
  });

  it('tries again when the model is overloaded, and gives up when it refuses the key', async () => {
    const world = await aRun(['a']);
    const failures = [
      new ModelFailure('overloaded', 'Busy.', { retryAfterMs: 0 }),
      new ModelFailure('authentication', 'No.'),
    ];
    const segment = await begun(world, {
      model: { turn: () => Promise.reject(failures.shift() ?? new Error('Asked too often.')) },
    });
    expect(await segment.work()).toBe('failed');
    expect((await world.events()).filter(({ type }) => type === 'ModelTurnFailed')).toMatchObject([
      { data: { attempt: 1, kind: 'overloaded', retryInMs: expect.any(Number) as number } },
      { data: { attempt: 2, kind: 'authentication' } },
    ]);
  });

  it('gives up a turn that takes longer than its segment, counts it as an attempt, and halts after so many', async () => {
    const world = await aRun(['a'], { modelRetries: 2 });
    const { model } = silentModel();
    // Less than half a second for the turn; the rest is the reserve.
    const next = (): Promise<Segment | undefined> => world.segment({ segmentMs: 10_400, model });
    for (let segment = await next(); segment; segment = await next()) await segment.work();
    const events = await world.events();
    const attempts = events.flatMap((event) => (event.type === 'ModelTurnFailed' ? [event.data] : []));
    expect(attempts.map(({ attempt, kind }) => [attempt, kind])).toEqual([
      [1, 'timed-out'],
      [2, 'timed-out'],
      [3, 'timed-out'],
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'RunHalted', data: { cap: 'modelRetries' } });
  });

  it('tells the model of a call whose effect nobody knows, and does not repeat it', async () => {
    const world = await aRun(['a']);
    world.workspace.goes = () => Promise.resolve({ state: 'unknown', startedAt: momentOf(0), reason: 'Power cut.' });
    expect(await (await begun(world)).work()).toBe('finished');
    expect(world.workspace.effects).toEqual(['work on a']);
    expect(await world.types()).toEqual(
      expect.arrayContaining(['ToolCallInDoubt', 'ToolCallSettled', 'ItemCompleted']),
    );
  });
});

describe('a run whose process is killed', () => {
  /** Works until the run's end; the process dies at the appends of these numbers, counted over all its segments. */
  async function survived(
    kills: readonly number[],
    when: 'before' | 'after',
  ): Promise<{ world: World; appends: number }> {
    const world = await aRun();
    let appends = 0;
    const die = (): void => {
      if (kills.includes(appends)) throw new Killed();
    };
    const options: Options = {
      before: () => {
        appends += 1;
        if (when === 'before') die();
      },
      after: () => {
        if (when === 'after') die();
      },
    };
    for (let segment = await world.segment(options); segment; segment = await world.segment(options)) {
      try {
        await segment.work();
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        const { relay } =
          (await new Runs(world.log, { app: 'segment-runner', id: 's' }).history(world.runId))?.run ?? {};
        if (relay?.phase === 'working') await world.write(presumedDead(relay.segment));
      }
    }
    return { world, appends };
  }

  it.each(['before', 'after'] as const)(
    '%s any append goes on and does nothing twice, nor skips anything',
    async (when) => {
      const { appends } = await survived([], when);
      expect(appends).toBeGreaterThan(10);
      const twice = Array.from({ length: appends }, (_, at) => [at + 1, at + 2]);
      for (const kills of [...twice.map(([first = 0]) => [first]), ...twice]) {
        const { world } = await survived(kills, when);
        expect([kills, world.workspace.effects]).toEqual([kills, ['work on a', 'work on b', 'work on c']]);
        const types = await world.types();
        expect(types.at(-1)).toBe('RunCompleted');
        expect(types.filter((type) => type === 'ItemCompleted')).toHaveLength(3);
        expect(types.filter((type) => type === 'ModelTurnCompleted')).toHaveLength(7);
        expect(types.filter((type) => type === 'ToolCallCompleted')).toHaveLength(6);
      }
    },
  );
});
