import { AgentSpec, type ModelBlock, momentOf, type Recorded, type RunEvent, type RunId, streams } from '#contracts';
import {
  type Act,
  beginSegment,
  canonical,
  type History,
  nextAct,
  reconcile,
  replay,
  turnRequest,
  withCalls,
} from '#domain';
import { type EventLog, HandoffNotes } from '#log';
import { newId, requestDigest, sha256 } from '#platform';
import { benchAgent } from './agents.js';

const EVENTS_AN_APPEND = 200;
/** As far back as a note of a working runner may lie at the most, give or take a step. */
const EVENTS_SINCE_NOTE = 490;
const EVENTS_A_STEP = 3;
const SEGMENT_SECONDS = 600;
/** Larger than any process number: whoever kills what this history names kills nothing. */
const NO_PROCESS = 2 ** 30;
const bash = (turn: number): ModelBlock => ({
  type: 'tool_use',
  id: `toolu_bench_${turn}`,
  name: 'bash',
  input: { command: 'true' },
});

/** The history of a run of many steps, decided by the domain as it would have been decided while it ran. */
class LongHistory {
  readonly events: Recorded<RunEvent>[] = [];
  private state: History | undefined;
  private now = Date.now();

  constructor(private readonly runId: RunId) {}

  get history(): History {
    if (!this.state) throw new Error('The history has not begun.');
    return this.state;
  }

  begin(): void {
    const agent = benchAgent('resume', 1_000);
    const spec = AgentSpec.parse(agent);
    const data = { at: this.at, agent: { name: spec.name, version: 1, spec, files: [] }, caps: spec.caps, by: 'bench' };
    const items = [{ id: 'one', input: null }];
    this.write([{ type: 'RunRequested', data: { ...data, items, requestDigest: sha256('') } }]);
    this.write(reconcile(this.history.run, this.now).events);
    const deadline = momentOf(this.now + SEGMENT_SECONDS * 1_000);
    const runner = { runnerId: 'bench', host: 'bench', pid: NO_PROCESS };
    this.write(beginSegment(this.history.run, { segment: 1, runner, at: this.at, deadline }) ?? []);
  }

  /** One act of the loop: a turn, its call, or a compaction. */
  act(): void {
    this.now += 1;
    const { run, context } = this.history;
    const world = {
      now: this.now,
      remainingMs: SEGMENT_SECONDS * 1_000,
      longestStepMs: 0,
      draining: false,
      asked: new Set<string>(),
    };
    this.perform(nextAct(run, context, 1, world));
  }

  /** Between two segments, until somebody asks the run to go on. */
  rest(): void {
    this.write([
      { type: 'PauseRequested', data: { at: this.at, by: 'bench' } },
      { type: 'SegmentEnded', data: { ...this.place, reason: 'paused' } },
    ]);
  }

  private perform(act: Act): void {
    const { run, context } = this.history;
    const usage = { inputTokens: context.tokens + 20, outputTokens: 20, cacheReadTokens: 0, cacheWriteTokens: 0 };
    const basedOn = run.last.revision;
    switch (act.kind) {
      case 'compact':
        return this.write([
          { type: 'ContextCompacted', data: { ...this.place, basedOn, summary: 'So far, so good.', usage } },
        ]);
      case 'calls':
        return this.write(
          act.calls.map(({ callId }) => ({
            type: 'ToolCallCompleted',
            data: {
              ...this.place,
              callId,
              outcome: 'ok',
              content: [{ type: 'text', text: '(no output)' }],
              durationMs: 1,
            },
          })),
        );
      case 'turn': {
        const answer = {
          model: 'simulator',
          content: [{ type: 'text' as const, text: 'I work on it.' }, bash(run.turns + 1)],
          usage,
        };
        const digest = requestDigest(turnRequest(run, context, basedOn));
        const turn = { turn: run.turns + 1, basedOn, requestDigest: digest, durationMs: 1, ...answer };
        const completed = {
          type: 'ModelTurnCompleted',
          data: { ...this.place, ...turn, stopReason: 'tool_use' },
        } as const;
        return this.write(withCalls(run, completed, this.place, (input) => sha256(canonical(input))));
      }
      case 'end':
      case 'back-off':
      case 'stop-calls':
      case 'discover':
        throw new Error(`The history came to an end by itself: ${JSON.stringify(act)}`);
    }
  }

  private get at() {
    return momentOf(this.now);
  }

  private get place() {
    return { at: this.at, segment: 1 };
  }

  private write(events: readonly RunEvent[]): void {
    for (const event of events) {
      const metadata = {
        tenant: 'default',
        correlationId: this.runId,
        actor: { kind: 'segment' as const, id: 'bench' },
        schemaVersion: 1,
      };
      const recorded = { id: newId(), revision: this.events.length, event, metadata };
      this.events.push(recorded);
      this.state = replay(this.state, recorded);
    }
  }
}

/**
 * Writes a run of so many steps into the log, with the note that its runner would have left last, as far back as it may
 * be. The run rests and goes on when it is asked to.
 */
export async function writeLongHistory(log: EventLog, runId: RunId, steps: number): Promise<void> {
  const long = new LongHistory(runId);
  long.begin();
  let noted: History | undefined;
  while (long.history.run.turns < steps || long.history.run.openCalls.length > 0) {
    if (!noted && (steps - long.history.run.turns) * EVENTS_A_STEP <= EVENTS_SINCE_NOTE) noted = long.history;
    long.act();
  }
  long.rest();
  const { events } = long;
  for (let from = 0; from < events.length; from += EVENTS_AN_APPEND) {
    const some = events.slice(from, from + EVENTS_AN_APPEND);
    const written = some.map(({ id, event, metadata }) => ({ id, ...event, metadata }));
    await log.append(streams.run(runId), written, from === 0 ? 'absent' : from - 1);
  }
  const at = long.history.run.last.at;
  if (noted) await new HandoffNotes(log).leave(runId, noted, { segment: 1, at });
}
