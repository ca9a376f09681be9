import { AgentSpec, momentOf, type Recorded, type RunEvent, SimulateSpec } from '#contracts';
import {
  compactionRequest,
  type History,
  isEnded,
  openingEvents,
  replay,
  type TurnRequest,
  turnRequest,
} from '#domain';
import { requestDigest } from '#platform';
import { type Simulator, startSimulator } from '#testing';
import { createAnthropicModel } from './anthropic-model.js';
import type { Model } from './model-port.js';
import { simulatorHeaders } from './simulate-header.js';

const at = momentOf(0);
const segment = 1;
const signal = new AbortController().signal;
const simulate = SimulateSpec.parse({ policy: 'items', command: 'measure {input}', callsPerItem: 2 });
const spec = AgentSpec.parse({ name: 'counter', model: { name: 'simulator' }, instructions: 'Count.', simulate });
const metadata = { tenant: 't', correlationId: 'r', actor: { kind: 'segment', id: 's' }, schemaVersion: 1 } as const;

/** A run whose tools are carried out by nobody: every command prints how many there were. */
class PlayedRun {
  readonly log: Recorded<RunEvent>[] = [];
  readonly digests: string[] = [];
  readonly commands: unknown[] = [];
  history: History;

  constructor(items: readonly string[]) {
    const digest = '0'.repeat(64);
    const agent = { name: spec.name, version: 1, spec, files: [] };
    const opened = items.map((id) => ({ id, input: { file: `${id} ö` } }));
    this.history = this.record({
      type: 'RunRequested',
      data: { at, agent, caps: spec.caps, items: opened, requestDigest: digest, by: 'me' },
    });
    this.record({ type: 'SegmentScheduled', data: { at, segment, because: 'requested', restartsWithoutProgress: 0 } });
    const runner = { runnerId: 'r', host: 'h', pid: 1 };
    this.record({ type: 'SegmentStarted', data: { at, segment, runner, deadline: momentOf(60_000) } });
    this.record({ type: 'ItemStarted', data: { at, segment, itemId: items[0] ?? '' } });
  }

  record(event: RunEvent): History {
    const recorded = { id: '', revision: this.log.length, event, metadata };
    this.log.push(recorded);
    this.history = replay(this.history, recorded);
    return this.history;
  }

  async turn(model: Model): Promise<void> {
    const request = this.request();
    const { turns } = this.history.run;
    const digest = requestDigest(request);
    const basedOn = this.log.length - 1;
    const turn = await model.turn(request, { signal });
    this.digests.push(digest);
    const data = { at, segment, turn: turns + 1, basedOn, requestDigest: digest, durationMs: 1, ...turn };
    this.record({ type: 'ModelTurnCompleted', data });
    for (const event of openingEvents(this.history.run, { segment, at }, () => '0'.repeat(64))) this.record(event);
    for (const call of this.history.run.openCalls) {
      this.commands.push(call.input['command']);
      const of = { at, segment, callId: call.callId };
      const content = [{ type: 'text' as const, text: `${this.commands.length}\n` }];
      this.record({ type: 'ToolCallCompleted', data: { ...of, outcome: 'ok', content, durationMs: 1 } });
    }
  }

  async compact(model: Model): Promise<void> {
    const basedOn = this.log.length - 1;
    const request = compactionRequest(this.history.run, this.history.context, basedOn);
    const { content, usage } = await model.turn(request, { signal });
    const summary = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    this.record({ type: 'ContextCompacted', data: { at, segment, basedOn, summary, usage } });
  }

  private request(): TurnRequest {
    return turnRequest(this.history.run, this.history.context, this.log.length - 1);
  }
}

describe('a run that the simulator plays', () => {
  let simulator: Simulator;
  let model: Model;
  beforeAll(async () => {
    simulator = await startSimulator();
    model = createAnthropicModel({
      baseUrl: simulator.url,
      apiKey: 'none',
      timeoutMs: 5_000,
      headers: simulatorHeaders(simulate, 'r'),
      loadBlob: () => Promise.reject(new Error('nothing is to be loaded')),
    });
  });
  afterAll(() => simulator.stop());
  const play = async (run: PlayedRun, compactAfter?: number): Promise<void> => {
    for (let turns = 1; turns <= 30; turns += 1) {
      await run.turn(model);
      if (run.history.run.lastTurn?.stopReason === 'end_turn') return;
      if (turns === compactAfter) await run.compact(model);
    }
  };

  it('settles every item with its commands, and then closes', async () => {
    const run = new PlayedRun(['a', 'b', 'c']);
    await play(run);
    expect(run.history.run.settled).toEqual({ done: 3, failed: 0 });
    expect(run.commands).toEqual(['a', 'a', 'b', 'b', 'c', 'c'].map((id) => `measure '{"file":"${id} ö"}'`));
    expect(run.history.run.turns).toBe(10);
    expect(isEnded(run.history.run)).toBe(false);
  });

  it.each([1, 2, 3, 4])('runs no command twice when its context is compacted after turn %i', async (turn) => {
    const run = new PlayedRun(['a', 'b']);
    await play(run, turn);
    expect(run.history.run.settled).toEqual({ done: 2, failed: 0 });
    expect(run.commands).toHaveLength(4);
  });

  it('is rebuilt from the JSON of its log with the very requests that were sent', async () => {
    const run = new PlayedRun(['a', 'b']);
    await play(run, 4);
    const rebuilt: string[] = [];
    let history: History | undefined;
    for (const recorded of JSON.parse(JSON.stringify(run.log)) as Recorded<RunEvent>[]) {
      if (recorded.event.type === 'ModelTurnCompleted' && history) {
        rebuilt.push(requestDigest(turnRequest(history.run, history.context, recorded.event.data.basedOn)));
      }
      history = replay(history, recorded);
    }
    expect(rebuilt).toEqual(run.digests);
    expect(new Set(rebuilt).size).toBe(rebuilt.length);
  });
});
