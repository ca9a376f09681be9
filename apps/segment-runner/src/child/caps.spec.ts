import {
  CallState,
  type CapName,
  type Caps,
  type ModelBlock,
  type ModelPrice,
  momentOf,
  RunCall,
  type RunEvent,
  RunId,
  type SomeCaps,
} from '#contracts';
import { type Run, wishCaps, wishMessage } from '#domain';
import { createMemoryLog, Runs } from '#log';
import { newId, systemClock } from '#platform';
import { facts, given } from '#testing';
import { finished } from '../../test/kept-calls.js';
import { type SegmentOptions, SegmentWorld } from '../../test/segment-world.js';
import { ModelFailure } from '../model/model-failure.js';
import type { Model } from '../model/model-port.js';
import { SegmentLog } from './segment-log.js';
import { Workspace } from './workspace.js';

const { bash, call, completeItem, presumedDead, requested, text } = facts;
const PRICE: ModelPrice = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
const TURN_TOKENS = 100;

/** What the model says to a run as it is. */
type Says = (run: Run, world: SegmentWorld) => readonly ModelBlock[];
const busy: Says = () => [bash('work')];
const idle: Says = () => [text('Hm.')];
const diligent: Says = (run) => (run.progress === 's' ? [completeItem('a')] : [text('All done.')]);

function aWorld(caps: Partial<Caps>, says: Says, spec: facts.Request['spec'] = {}) {
  const playing = { says };
  const world: SegmentWorld = new SegmentWorld(facts.BEGIN, (log) => ({
    turn: () => Promise.resolve(answered(playing.says(log.history.run, world))),
  }));
  const write = world.write(requested({ items: ['a'], caps, spec: { tools: ['bash', 'read_file'], ...spec } }));
  return { world, playing, ready: write };
}

const answered = (content: readonly ModelBlock[]): Awaited<ReturnType<Model['turn']>> => ({
  content: [...content],
  stopReason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
  usage: { inputTokens: TURN_TOKENS, outputTokens: TURN_TOKENS, cacheReadTokens: 0, cacheWriteTokens: 0 },
  model: 'scripted',
});

/** Works until the run has ended or rests. */
async function worked(world: SegmentWorld, options: SegmentOptions = {}, disturb?: (n: number) => Promise<void>) {
  for (let n = 1; n <= 200; n += 1) {
    const segment = await world.segment(options);
    if (!segment) return;
    const working = segment.work().catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    await working;
    await disturb?.(n);
  }
  throw new Error('The run goes on for ever.');
}

/** The end of a process in the middle of whatever it does. */
class Killed extends Error {}

const dataOf = <T extends RunEvent['type']>(events: readonly RunEvent[], wanted: T) =>
  events.flatMap(({ type, data }) => (type === wanted ? [data as Extract<RunEvent, { type: T }>['data']] : []));

interface Halting {
  readonly caps: Partial<Caps>;
  readonly says: Says;
  readonly model?: Model;
  readonly price?: ModelPrice;
  /** A segment's time, in milliseconds. */
  readonly segmentMs?: number;
  /** Every segment dies at its first append after its start. */
  readonly dies?: boolean;
  /** What a person raises the cap to, with which the run can come to its end. */
  readonly raisedTo: number;
  /** Told to the agent at 80 %. */
  readonly nears: boolean;
}

/** The caps that halt a run, each hit by an agent that would never end by itself. */
const halting: Record<CapName, Halting> = {
  segments: { caps: { segments: 3 }, says: slowly(200_000), raisedTo: 20, nears: true },
  steps: { caps: { steps: 5 }, says: busy, raisedTo: 50, nears: true },
  runMinutes: { caps: { runMinutes: 10 }, says: slowly(20_000), raisedTo: 100, nears: true },
  tokens: { caps: { tokens: 10 * 2 * TURN_TOKENS }, says: busy, raisedTo: 100_000, nears: true },
  dollars: { caps: { dollars: 0.05 }, says: busy, price: PRICE, raisedTo: 10, nears: true },
  idleTurns: { caps: { idleTurns: 3 }, says: idle, raisedTo: 6, nears: false },
  restartsWithoutProgress: { caps: { restartsWithoutProgress: 3 }, says: busy, dies: true, raisedTo: 6, nears: false },
  modelRetries: {
    caps: { modelRetries: 2 },
    says: busy,
    model: { turn: () => Promise.reject(new ModelFailure('overloaded', 'It is busy.', { retryAfterMs: 0 })) },
    raisedTo: 6,
    nears: false,
  },
};

/** A model that takes so many milliseconds for a turn. */
function slowly(ms: number): Says {
  return (_, world) => {
    world.now += ms;
    return [bash('work')];
  };
}

describe('an agent that would never end by itself', () => {
  it.each(Object.entries(halting) as [CapName, Halting][])(
    'is landed by caps.%s, says what is done, and goes on when the cap is raised',
    async (cap: CapName, { caps, says, raisedTo, nears, dies, ...options }: Halting) => {
      const { world, playing, ready } = aWorld(caps, says);
      await ready;
      const die = ([type]: readonly string[]): void => {
        if (type !== 'SegmentStarted') throw new Killed();
      };
      await worked(world, dies ? { ...options, before: die } : options, async (n) => {
        if (dies) await world.write(presumedDead(n));
      });
      const before = await world.events();
      const [halted] = dataOf(before, 'RunHalted');
      expect(before.at(-1)?.type).toBe('RunHalted');
      expect(halted?.cap).toBe(cap);
      expect(halted?.reason).toMatch(new RegExp(`^[A-Z].*\\(caps\\.${cap}\\)`));
      expect(halted?.reason).toContain('0 of 1 item completed, 0 failed, 1 open.');
      const neared = dataOf(before, 'CapNeared').filter((near) => near.cap === cap);
      expect(neared).toHaveLength(nears ? 1 : 0);
      if (!dies) {
        const note = (await world.notes()).at(-1);
        expect(note).toMatchObject({ done: '0 of 1 item completed, 0 failed, 1 open.' });
        expect(note?.inProgress).toContain('Item a.');
        expect(note?.revision).toBeGreaterThanOrEqual(
          before.findLastIndex(({ type }) => type === 'ModelTurnCompleted'),
        );
      }
      await goesOn(world, { [cap]: raisedTo });
      playing.says = diligent;
      await worked(world, options.price ? { price: options.price } : {});
      expect((await world.types()).slice(before.length, before.length + 3)).toEqual([
        'CapsRaised',
        'RunReopened',
        'SegmentScheduled',
      ]);
      expect((await world.types()).at(-1)).toBe('RunCompleted');
    },
  );

  it('is told at 80 % to land, and again when a raised cap is near again', async () => {
    const heard: string[] = [];
    const { world, ready } = aWorld({ steps: 5 }, busy);
    await ready;
    const model: Model = {
      turn: ({ messages }) => {
        heard.push(JSON.stringify(messages.at(-1)));
        return Promise.resolve(answered([bash('work')]));
      },
    };
    await worked(world, { model });
    await goesOn(world, { steps: 10 });
    await worked(world, { model });
    const told = heard.flatMap((words, turn) => (words.includes('Bring the work to a good end') ? [turn + 1] : []));
    expect(told).toEqual([5, 9]);
    expect(heard).toHaveLength(10);
  });

  it('of a few cents is told of it before they are gone, however few they are', async () => {
    const { world, ready } = aWorld({ dollars: 0.006 }, busy);
    await ready;
    await worked(world, { price: PRICE });
    const events = await world.events();
    const types = events.map(({ type }) => type);
    expect(dataOf(events, 'CapNeared')).toMatchObject([{ cap: 'dollars', limit: 0.006 }]);
    expect(types.indexOf('CapNeared')).toBeLessThan(types.indexOf('ModelTurnCompleted'));
    expect(dataOf(events, 'RunHalted')).toMatchObject([{ cap: 'dollars' }]);
  });

  it('never pays more than its money', async () => {
    const { world, ready } = aWorld({ dollars: 0.05 }, busy);
    await ready;
    await worked(world, { price: PRICE });
    const run = (await new Runs(world.log, { app: 'gateway', id: 'g' }).load(world.runId)) as Run;
    expect(run.microDollars).toBeLessThanOrEqual(50_000);
    expect(run.microDollars).toBeGreaterThan(40_000);
  });

  it.each([
    ['its minutes are over', { runMinutes: 10 }, 11],
    ['its last segment is over', { segments: 1, segmentSeconds: 60 }, 2],
  ] as const)('stops what runs when %s', async (_, caps, minutes) => {
    const { world, ready } = aWorld(caps, busy);
    await ready;
    world.workspace.goes = () => {
      world.now += minutes * 60_000;
      return Promise.resolve({ state: 'running', startedAt: momentOf(0) });
    };
    await worked(world);
    expect(dataOf(await world.events(), 'ToolCallCompleted')).toMatchObject([{ outcome: 'cancelled' }]);
    expect((await world.types()).at(-1)).toBe('RunHalted');
  });
});

async function goesOn(world: SegmentWorld, caps: SomeCaps): Promise<void> {
  const gateway = new Runs(world.log, { app: 'gateway', id: 'g' });
  await gateway.change(world.runId, (run) => wishCaps(run, wisher(world), caps, {}).events ?? []);
}

const wisher = ({ now }: SegmentWorld) => ({ by: 'ann', at: momentOf(now) });

/** The other caps bound one thing each, and the run goes on; `items` is the gateway's, see its runs.spec.ts. */
const bounding: Record<Exclude<keyof Caps, CapName | 'items'>, () => Promise<void>> = {
  async segmentSeconds() {
    const { world, playing, ready } = aWorld({ segmentSeconds: 120, reserveSeconds: 10 }, slowly(50_000));
    await ready;
    const [segment] = [await world.segment()];
    expect(await segment?.work()).toBe('handoff');
    expect(dataOf(await world.events(), 'ModelTurnCompleted')).toHaveLength(2);
    playing.says = diligent;
    await worked(world);
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  },

  async reserveSeconds() {
    const { world, ready } = aWorld({ segmentSeconds: 120, reserveSeconds: 100 }, slowly(50_000));
    await ready;
    const segment = await world.segment();
    expect(await segment?.work()).toBe('handoff');
    expect(dataOf(await world.events(), 'ModelTurnCompleted')).toHaveLength(1);
  },

  async toolRetries() {
    const { world, ready } = aWorld({ toolRetries: 2 }, (run) => {
      if (run.turns === 0) return [call('read_file', { path: 'a' })];
      return diligent(run, world);
    });
    await ready;
    world.workspace.goes = () => Promise.resolve({ state: 'unknown', startedAt: momentOf(0), reason: 'A power cut.' });
    await worked(world);
    expect(world.workspace.effects).toHaveLength(3);
    const [settled] = dataOf(await world.events(), 'ToolCallSettled');
    expect(settled).toMatchObject({ by: 'model' });
    expect(JSON.stringify(settled?.content)).toContain('outcome is unknown');
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  },

  async approvalMinutes() {
    const says: Says = (run) => (run.turns === 0 ? [bash('rm -rf x')] : diligent(run, world));
    const { world, ready } = aWorld({ approvalMinutes: 60 }, says, { approvals: { bash: 'always' } });
    await ready;
    await worked(world);
    expect((await world.types()).at(-1)).toBe('SegmentEnded');
    world.now += 61 * 60_000;
    await worked(world);
    expect(world.workspace.effects).toEqual([]);
    expect(dataOf(await world.events(), 'ToolCallCompleted')[0]).toMatchObject({ outcome: 'denied' });
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  },

  async messages() {
    const { world, ready } = aWorld({ messages: 2 }, diligent);
    await ready;
    const gateway = new Runs(world.log, { app: 'gateway', id: 'g' });
    const said = async (messageId: string): Promise<string | undefined> => {
      let refusal: string | undefined;
      await gateway.change(world.runId, (run) => {
        const wished = wishMessage(run, wisher(world), { messageId, text: 'Hurry.', interrupt: false });
        refusal = wished.refusal?.detail;
        return wished.events ?? [];
      });
      return refusal;
    };
    expect([await said('1'), await said('2')]).toEqual([undefined, undefined]);
    expect(await said('3')).toContain('caps.messages');
    // As soon as the model has read them there is room again.
    const refusals: (string | undefined)[] = [];
    const model: Model = {
      turn: async () => {
        if (refusals.length < 2) refusals.push(await said(`${refusals.length + 4}`));
        const run = await gateway.load(world.runId);
        return answered(refusals.length === 1 || !run ? [bash('work')] : diligent(run, world));
      },
    };
    await worked(world, { model });
    expect(refusals).toEqual([expect.stringContaining('caps.messages'), undefined]);
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  },

  async toolSeconds() {
    expect(await askedOfWorkspace({ toolSeconds: 7 })).toMatchObject({ limitMs: 7_000 });
    const { world, ready } = aWorld({}, (run) => (run.turns === 0 ? [bash('sleep 9')] : diligent(run, world)));
    await ready;
    world.workspace.goes = () => Promise.resolve(finished('It was stopped after 7 s.', 'timed-out'));
    await worked(world);
    expect(dataOf(await world.events(), 'ToolCallCompleted')[0]).toMatchObject({ outcome: 'timed-out' });
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  },

  async outputBytes() {
    expect(await askedOfWorkspace({ outputBytes: 900 })).toMatchObject({ outputBytes: 900 });
  },
};

/** What a workspace-manager is asked when a call is to be run. */
async function askedOfWorkspace(caps: Partial<Caps>): Promise<unknown> {
  const { history } = given(requested({ caps }), facts.scheduled(), facts.started(), facts.turn([bash()]));
  const log = createMemoryLog();
  const segmentLog = new SegmentLog(
    new Runs(log, { app: 'segment-runner', id: 's' }),
    RunId.parse(newId()),
    1,
    history,
  );
  const asked: unknown[] = [];
  const bus: ConstructorParameters<typeof Workspace>[0] = {
    listen: () => ({ stop: () => undefined, unreadable: () => 0 }),
    ask: (subject, body, answer) => {
      if (subject.endsWith(RunCall.verb)) asked.push(body);
      return Promise.resolve(answer.parse(subject.endsWith(RunCall.verb) ? DONE : { holder: 'h', created: true }));
    },
  };
  const [open] = history.run.openCalls;
  if (!open) throw new Error('No call is open.');
  await new Workspace(bus, segmentLog, systemClock).run(open, new AbortController().signal);
  return asked[0];
}

const DONE = CallState.parse(finished('Done.'));

describe('a cap that bounds one thing', () => {
  it.each(Object.entries(bounding))('is kept to: caps.%s', (_, test) => test());
});
