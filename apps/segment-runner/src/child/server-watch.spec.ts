import type { Discovery, ModelBlock } from '#contracts';
import { type History, replay, type TurnRequest } from '#domain';
import { builtFrom, requestIn } from '#log';
import { facts } from '#testing';
import { finished } from '../../test/kept-calls.js';
import { SegmentWorld } from '../../test/segment-world.js';
import type { Segment } from './segment.js';

/*
 * An MCP server goes and comes back while a run works: the log says so at once, the model is told once of each, and every
 * request can be rebuilt.
 */
const AWAY = 'cannot be reached';
const BACK = 'The tools of the server local can be used.';
const ANEW = 'was started again';

const ready = (instance = 'first', ended?: string): Discovery => ({
  state: 'ready',
  server: 'local',
  tools: [{ name: 'local__look', description: 'Looks.', inputSchema: { type: 'object' }, effect: 'none' }],
  instance,
  ...(ended !== undefined && { ended }),
});
const away = (reason = 'It has ended.'): Discovery => ({ state: 'unavailable', server: 'local', reason });
const look = (): ModelBlock => facts.call('local__look');

/** What happens at a turn, and what the model says then; it ends its work after the last. */
type Turn = (segment: Segment) => ModelBlock | Promise<ModelBlock>;

class Story {
  readonly asked: TurnRequest[] = [];
  readonly world: SegmentWorld;
  private segment: Segment | undefined;
  says: Discovery = ready();

  private constructor(private readonly turns: readonly Turn[]) {
    this.world = new SegmentWorld(facts.BEGIN, (log) => ({
      turn: async (request) => {
        this.asked.push(request);
        const content = [(await this.turns[log.history.run.turns]?.(this.segment as Segment)) ?? facts.text('Done.')];
        const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };
        const stopReason = content[0]?.type === 'tool_use' ? ('tool_use' as const) : ('end_turn' as const);
        return { content, stopReason, usage, model: 'scripted' };
      },
    }));
    this.world.workspace.declares = () => this.says;
  }

  static async of(...turns: readonly Turn[]): Promise<Story> {
    const story = new Story(turns);
    const mcp = { local: { command: ['local'], env: {} } };
    await story.world.write(facts.requested({ spec: { tools: ['bash'], mcp } as never }));
    return story;
  }

  /** Works one segment; where one hands off the next has to be asked for. */
  async worked(): Promise<string> {
    this.segment = await this.world.segment();
    if (!this.segment) throw new Error('No segment was due.');
    return this.segment.work();
  }

  /** How often each sentence stands in what the model was shown at its turn. */
  told(turn: number): readonly number[] {
    const shown = JSON.stringify(this.asked[turn - 1]?.messages);
    return [AWAY, BACK, ANEW].map((words) => shown.split(words).length - 1);
  }

  async servers(): Promise<readonly string[]> {
    return (await this.world.events()).flatMap(({ type, data }) => {
      if (type !== 'ToolsDiscovered' || !('discovery' in data)) return [];
      const { discovery } = data;
      return [discovery.state === 'ready' && discovery.ended !== undefined ? 'anew' : discovery.state];
    });
  }

  /** Whether each request that was sent is what the log says (law 6), from its beginning and whatever came in between. */
  async isVerified(): Promise<boolean> {
    const histories: History[] = [];
    const same: boolean[] = [];
    for (const entry of await this.world.recorded()) {
      const at = histories[builtFrom(entry) ?? -1];
      const request = at && requestIn(entry, at);
      if (request) same.push(request.rebuilt === request.recorded);
      histories.push(replay(histories.at(-1), entry));
    }
    return same.length === this.asked.length && same.every(Boolean);
  }
}

describe('an MCP server that dies', () => {
  it('in the middle of a call is in the log before the next turn, and the model is told with the call’s result', async () => {
    const story = await Story.of(look, () => facts.bash('more'));
    story.world.workspace.goes = ({ tool }) => {
      if (tool === 'local__look') story.says = away('It has ended (it said: out of memory).');
      return Promise.resolve(tool === 'bash' ? finished('Done.') : finished('It did not answer.', 'error'));
    };
    expect(await story.worked()).toBe('finished');
    expect(await story.servers()).toEqual(['ready', 'unavailable']);
    expect([1, 2, 3].map((turn) => story.told(turn)[0])).toEqual([0, 1, 1]);
    expect(JSON.stringify(story.asked[1]?.messages)).toContain('out of memory');
    expect(story.asked.map(({ tools }) => tools.length)).toEqual([2, 1, 1]);
    expect(await story.isVerified()).toBe(true);
  });

  it('while the model thinks is in the log at once, and is told with the next turn', async () => {
    const recorded: (readonly string[])[] = [];
    const story = await Story.of(async (segment) => {
      story.says = away();
      await segment.lookAtServers();
      recorded.push(await story.servers());
      return facts.bash();
    });
    expect(await story.worked()).toBe('finished');
    expect(recorded).toEqual([['ready', 'unavailable']]);
    expect([1, 2].map((turn) => story.told(turn)[0])).toEqual([0, 1]);
    expect(await story.isVerified()).toBe(true);
  });

  it('and is back is told once of each, however often it is looked at, and its tools are there again', async () => {
    const seen = async (segment: Segment, says: Discovery): Promise<ModelBlock> => {
      story.says = says;
      await segment.lookAtServers();
      await segment.lookAtServers();
      return facts.bash();
    };
    const story = await Story.of(
      (segment) => seen(segment, away()),
      (segment) => seen(segment, away('Still not there.')),
      (segment) => seen(segment, ready('second')),
      (segment) => seen(segment, ready('second', 'It has ended.')),
      look,
    );
    expect(await story.worked()).toBe('finished');
    expect(await story.servers()).toEqual(['ready', 'unavailable', 'anew']);
    expect(story.told(6)).toEqual([1, 0, 1]);
    expect(story.asked.map(({ tools }) => tools.length)).toEqual([2, 1, 1, 2, 2, 2]);
    expect(await story.isVerified()).toBe(true);
  });

  it('and is found to be the same as before is told to be there again, without a word of memory that is gone', async () => {
    const says = async (segment: Segment, found: Discovery): Promise<ModelBlock> => {
      story.says = found;
      await segment.lookAtServers();
      return facts.bash();
    };
    const story = await Story.of(
      (segment) => says(segment, away('It said nothing for a while.')),
      (segment) => says(segment, ready('first')),
      look,
    );
    expect(await story.worked()).toBe('finished');
    expect(story.told(4)).toEqual([1, 1, 0]);
    expect(await story.isVerified()).toBe(true);
  });

  it('twice, and was started again each time before anybody could tell, is told once for each', async () => {
    const story = await Story.of(look, look);
    let starts = 1;
    story.world.workspace.goes = () => {
      starts += 1;
      story.says = ready(`start ${starts}`, `It has ended for the ${starts - 1}. time.`);
      return Promise.resolve(finished('It did not answer.', 'error'));
    };
    expect(await story.worked()).toBe('finished');
    expect(await story.servers()).toEqual(['ready', 'anew', 'anew']);
    expect([1, 2, 3].map((turn) => story.told(turn)[2])).toEqual([0, 1, 2]);
    expect(await story.isVerified()).toBe(true);
  });

  it('between two segments is told once by the next, and not again by those after it', async () => {
    const handOff: Turn = (segment) => {
      segment.drain();
      return facts.bash();
    };
    const story = await Story.of(handOff, handOff, handOff);
    expect(await story.worked()).toBe('drain');
    story.says = ready('second', 'Its manager has ended.');
    expect(await story.worked()).toBe('drain');
    story.says = away();
    expect(await story.worked()).toBe('drain');
    expect(await story.worked()).toBe('finished');
    expect(await story.isVerified()).toBe(true);
    expect(await story.servers()).toEqual(['ready', 'anew', 'unavailable']);
    expect(story.told(4)).toEqual([1, 0, 1]);
  });

  it('because it was stopped while the run rested is told as what it was, and a session not as a server', async () => {
    const handOff: Turn = (segment) => {
      segment.drain();
      return facts.bash();
    };
    const story = await Story.of(handOff, handOff);
    await story.worked();
    story.says = ready('second', 'It was stopped because the run rested.');
    await story.worked();
    story.says = { ...ready('third', 'It was given up because the run rested.'), hasSessions: true } as Discovery;
    expect(await story.worked()).toBe('finished');
    const shown = JSON.stringify(story.asked.at(-1)?.messages);
    expect(shown).toContain(
      'The server local has ended and was started again, so what it held in its memory is gone. ' +
        'Its tools can be used. It was stopped because the run rested.',
    );
    expect(shown).toContain(
      'The session with the server local has ended and another was begun, so what it held for that session is gone. ' +
        'Its tools can be used. It was given up because the run rested.',
    );
    expect(shown).not.toContain('Nobody knows');
    expect(await story.isVerified()).toBe(true);
  });

  it('leaves what its open calls do to the world as it was declared', async () => {
    const story = await Story.of(look);
    story.world.workspace.goes = async (_, signal) => {
      story.says = away();
      signal.throwIfAborted();
      return { state: 'unknown', startedAt: new Date(facts.BEGIN).toISOString(), reason: 'Its manager has ended.' };
    };
    await story.worked();
    const started = (await story.world.events()).filter(({ type }) => type === 'ToolCallStarted');
    // Reading does no harm: it is run again, and nobody is asked.
    expect(started.length).toBeGreaterThan(1);
    expect(await story.world.types()).not.toContain('ApprovalRequested');
  });
});
