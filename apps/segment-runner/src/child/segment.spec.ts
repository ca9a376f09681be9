import { type CallState, type ModelBlock, momentOf } from '#contracts';
import { currentItem } from '#domain';
import { Runs } from '#log';
import { facts, Gate, until } from '#testing';
import { finished } from '../../test/kept-calls.js';
import { type SegmentOptions as Options, SegmentWorld } from '../../test/segment-world.js';
import { ModelFailure } from '../model/model-failure.js';
import type { Model } from '../model/model-port.js';
import type { Segment } from './segment.js';
import { Fenced, type SegmentLog } from './segment-log.js';

const { requested, message, cancelRequested, presumedDead } = facts;

/** The end of a process in the middle of whatever it does. */
class Killed extends Error {}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

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
): Promise<SegmentWorld> {
  const world = new SegmentWorld(facts.BEGIN, (log) => ({ turn: () => Promise.resolve(said(diligent(log))) }));
  await world.write(requested({ items, caps, spec: { tools: ['bash', 'complete_item'] } }));
  return world;
}

async function begun(world: SegmentWorld, options: Options = {}): Promise<Segment> {
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
function holding(world: SegmentWorld): Gate {
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
    expect(await world.notes()).toMatchObject([{ segment: 1 }]);
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
    expect(await world.notes()).toMatchObject([{ segment: 1 }]);
  });

  it('has the calls of a turn carried out side by side, and each result in the log as it comes', async () => {
    const world = await aRun([]);
    const [allBegun, released] = [new Gate(), new Gate()];
    let begunCalls = 0;
    world.workspace.goes = async ({ input }) => {
      begunCalls += 1;
      if (begunCalls === 3) allBegun.open();
      if (input['command'] !== 'last') await released.opened;
      return finished('Done.');
    };
    const asks = ['first', 'second', 'last'].map((command) => facts.bash(command, `toolu_${command}`));
    const turns = [asks, [facts.text('All done.')]];
    const segment = await begun(world, { model: { turn: () => Promise.resolve(said(turns.shift() ?? [])) } });
    const working = segment.work();
    await allBegun.opened;
    const ended = async () =>
      (await world.events()).flatMap(({ type, data }) => (type === 'ToolCallCompleted' ? [data.callId] : []));
    await until(async () => (await ended()).length === 1);
    expect(await ended()).toEqual(['1-2']);
    released.open();
    expect(await working).toBe('finished');
    expect((await ended()).toSorted()).toEqual(['1-0', '1-1', '1-2']);
  });

  it('gives up the turn under way for a message that interrupts, and the next one reads it', async () => {
    const world = await aRun();
    const heard: string[] = [];
    const asked = new Gate();
    const turn: Model['turn'] = async ({ messages }, { signal }) => {
      heard.push(JSON.stringify(messages.at(-1)));
      if (heard.length > 1) return said([facts.text('I have stopped.')]);
      asked.open();
      await aborted(signal);
      throw signal.reason;
    };
    const segment = await begun(world, { model: { turn } });
    const working = segment.work();
    await asked.opened;
    await world.write(message('Stop that.', { interrupt: true }));
    await segment.glance();
    await until(() => heard.length > 1);
    expect(heard[0]).not.toContain('Stop that.');
    expect(heard[1]).toContain('Stop that.');
    segment.drain();
    await working;
    expect(await world.types()).not.toContain('ModelTurnFailed');
  });

  it('lets the model finish its turn when a message does not interrupt, and shows it with the next', async () => {
    const world = await aRun([]);
    const heard: string[] = [];
    const [asked, answers] = [new Gate(), new Gate()];
    const turn: Model['turn'] = async ({ messages }) => {
      heard.push(JSON.stringify(messages.at(-1)));
      asked.open();
      await answers.opened;
      return said(heard.length === 1 ? [facts.bash('work')] : [facts.text('All done.')]);
    };
    const segment = await begun(world, { model: { turn } });
    const working = segment.work();
    await asked.opened;
    await world.write(message('Use tabs.'));
    await segment.glance();
    answers.open();
    expect(await working).toBe('finished');
    expect(heard.map((words) => words.includes('Use tabs.'))).toEqual([false, true]);
  });

  it('is paused while the model is being asked, and goes on where it was when it is resumed', async () => {
    const world = await aRun();
    const { model, asked } = silentModel();
    const segment = await begun(world, { model });
    const working = segment.work();
    await asked.opened;
    await world.write(facts.pauseRequested());
    await segment.glance();
    expect(await working).toBe('paused');
    expect(await world.segment()).toBeUndefined();
    await world.write(facts.resumeRequested());
    expect(await (await begun(world)).work()).toBe('finished');
    expect(world.workspace.effects).toEqual(['work on a', 'work on b', 'work on c']);
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

  it('asks nobody to agree to a call whose input is wrong, and tells the model', async () => {
    const pay = (cents: number): ModelBlock => facts.call('pay', { cents }, `toolu_${cents}`);
    const world = new SegmentWorld(facts.BEGIN, ({ history: { run } }) => ({
      turn: () => Promise.resolve(said(run.turns === 0 ? [pay(-1), pay(5)] : [facts.text('All done.')])),
    }));
    world.workspace.finds = ({ input }) => (input['cents'] === -1 ? 'input/cents must be >= 1' : undefined);
    const http = [{ name: 'pay', description: 'Pays.', method: 'POST' as const, url: 'https://pay.example/' }];
    await world.write(requested({ spec: { http, approvals: { pay: 'always' } } as never }));
    expect(await (await begun(world)).work()).toBe('waiting');
    const events = await world.events();
    const told = events.flatMap(({ type, data }) => (type === 'ToolCallCompleted' ? [data] : []));
    expect(told).toMatchObject([
      { callId: '1-0', outcome: 'rejected', content: [{ text: 'input/cents must be >= 1' }] },
    ]);
    const asked = events.flatMap(({ type, data }) => (type === 'ApprovalRequested' ? [data] : []));
    expect(asked).toMatchObject([{ callId: '1-1' }]);
    expect(world.workspace.effects).toEqual([]);
  });

  it('goes on after an answer that is larger than the log takes, and begins none of its calls', async () => {
    const large = facts.call('write_file', { path: 'a', content: 'x'.repeat(3_000_000) });
    let turns = 0;
    const world = new SegmentWorld(facts.BEGIN, (log) => ({
      turn: () => Promise.resolve(said((turns += 1) === 1 ? [large] : diligent(log))),
    }));
    await world.write(requested({ items: ['a'], spec: { tools: ['bash', 'write_file'] } }));
    const segment = await begun(world);
    expect(await segment.work()).toBe('finished');
    const first = (await world.events()).find(({ type }) => type === 'ModelTurnCompleted');
    expect(first).toMatchObject({ data: { stopReason: 'max_tokens' } });
    expect(JSON.stringify(first)).toContain('do it in smaller parts');
    expect(turns).toBeGreaterThan(1);
    expect((await world.types()).at(-1)).toBe('SegmentEnded');
  });

  it('ends the run with the reason when the log will never take what it has to record', async () => {
    const world = await aRun(['a']);
    world.workspace.goes = () => Promise.resolve(finished('x'.repeat(2_000_000)));
    expect(await (await begun(world)).work()).toBe('failed');
    expect(await world.segment()).toBeUndefined();
    const last = (await world.events()).at(-1);
    expect(last).toMatchObject({ type: 'RunFailed' });
    expect(JSON.stringify(last)).toContain('What was to be recorded was refused');
    expect(world.workspace.effects).toHaveLength(1);
  });

  it('goes on without an image that the model refuses, and fails when that was not why', async () => {
    const world = new SegmentWorld(facts.BEGIN, (log) => ({
      turn: ({ messages }) =>
        JSON.stringify(messages).includes('"blob"')
          ? Promise.reject(new ModelFailure('invalid-request', 'Could not process image'))
          : Promise.resolve(said(diligent(log))),
    }));
    const image = { type: 'image' as const, blob: { digest: facts.DIGEST, bytes: 9, mediaType: 'image/png' as const } };
    await world.write(requested({ items: ['a'] }), message('Look.', { attachments: [image] }));
    expect(await (await begun(world)).work()).toBe('finished');
    const failures = (await world.events()).filter(({ type }) => type === 'ModelTurnFailed');
    expect(failures).toMatchObject([{ data: { kind: 'invalid-request', retryInMs: 0 } }]);
    const refusing = { turn: () => Promise.reject(new ModelFailure('invalid-request', 'No.')) };
    const other = new SegmentWorld(facts.BEGIN, () => refusing);
    await other.write(requested({ items: ['a'] }), message('Look.', { attachments: [image] }));
    expect(await (await begun(other)).work()).toBe('failed');
    expect((await other.types()).filter((type) => type === 'ModelTurnFailed')).toHaveLength(2);
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
  ): Promise<{ world: SegmentWorld; appends: number }> {
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
