import { HandoffNoteLeft, type ModelPrice, momentOf, type Recorded, type RunEvent, RunId, streams } from '#contracts';
import { beginSegment, isEnded, type Run, reconcile } from '#domain';
import { createMemoryLog, type EventLog, HandoffNotes, Runs } from '#log';
import { newId, silentLogger } from '#platform';
import { NoteKeeper } from '../src/child/note-keeper.js';
import { Segment, type SegmentParts } from '../src/child/segment.js';
import { SegmentLog } from '../src/child/segment-log.js';
import type { Model } from '../src/model/model-port.js';
import { KeptCalls } from './kept-calls.js';

/** Between two looks of the coordinator. */
const MINUTE_MS = 60_000;
const runner = { runnerId: 'runner-1', host: 'localhost', pid: 4_711 };
const metadata = { tenant: 't', actor: { kind: 'service', id: 't' }, schemaVersion: 1 };

/** An event that still has to be told when, and at which revision, it is recorded. */
type Told = (at: string, revision: number) => RunEvent;

export interface SegmentOptions {
  readonly segmentMs?: number;
  readonly model?: Model;
  readonly price?: ModelPrice;
  /** Called before an append is written, and after it. */
  readonly before?: (types: readonly string[]) => Promise<void> | void;
  readonly after?: () => void;
}

/**
 * A run on a log in memory: real segments over a model and a workspace that the test gives; the coordinator and the
 * supervisor are what the domain says.
 */
export class SegmentWorld {
  readonly runId = RunId.parse(newId());
  readonly workspace = new KeptCalls();
  /** Milliseconds since 1970; a model or a call that takes long moves it. */
  now: number;

  /** @param begin milliseconds since 1970 @param model what is asked unless a segment is given another */
  constructor(
    begin: number,
    private readonly model: (log: SegmentLog) => Model,
    readonly log: EventLog = createMemoryLog(),
  ) {
    this.now = begin;
  }

  async write(...made: readonly Told[]): Promise<void> {
    for (const fact of made) {
      const revision = ((await this.log.last(streams.run(this.runId)))?.revision ?? -1) + 1;
      const { type, data } = fact(momentOf(this.now), revision);
      const event = { id: newId(), type, data, metadata: { ...metadata, correlationId: this.runId } };
      await this.log.append(streams.run(this.runId), [event], 'any');
    }
  }

  /** The coordinator looks at the run. */
  async advanced(): Promise<Run> {
    this.now += MINUTE_MS;
    const coordinator = new Runs(this.log, { app: 'coordinator', id: 'c' });
    return (await coordinator.change(this.runId, (state) => reconcile(state, this.now).events)).run;
  }

  /** Schedules and begins the next segment; undefined when the run has ended, or rests. */
  async segment({ segmentMs, model, price, before, after }: SegmentOptions = {}): Promise<Segment | undefined> {
    const run = await this.advanced();
    if (isEnded(run) || run.relay.phase !== 'scheduled') return undefined;
    const { segment } = run.relay;
    const workMs = segmentMs ?? run.caps.segmentSeconds * 1_000;
    const runs = new Runs(this.watched(before, after), { app: 'segment-runner', id: 's' });
    const at = momentOf(this.now);
    const start = { segment, runner, at, deadline: momentOf(this.now + workMs), ...(price && { price }) };
    await new Runs(this.log, { app: 'segment-runner', id: 's' }).change(
      this.runId,
      (state) => beginSegment(state, start) ?? [],
    );
    const history = await runs.history(this.runId);
    if (!history) throw new Error('There is no run.');
    const log = new SegmentLog(runs, this.runId, segment, history);
    return new Segment({ ...this.parts(log, model), notes: this.notesOf(log, history.notedAt) }, workMs);
  }

  private notesOf(log: SegmentLog, notedAt: number): NoteKeeper {
    return new NoteKeeper(new HandoffNotes(this.log), log, { clock: this.clock, logger: silentLogger }, notedAt);
  }

  private get clock(): SegmentParts['clock'] {
    return { now: () => this.now, monotonic: () => performance.now() + this.now };
  }

  private parts(log: SegmentLog, model: Model = this.model(log)): Omit<SegmentParts, 'notes'> {
    return {
      log,
      model,
      workspace: this.workspace,
      pulse: { doing: () => undefined, recorded: () => undefined },
      clock: this.clock,
      random: () => 0,
      onText: () => undefined,
    };
  }

  private watched(before: SegmentOptions['before'], after: SegmentOptions['after']): EventLog {
    const append: EventLog['append'] = async (stream, events, expected) => {
      if (!stream.startsWith('run-')) return this.log.append(stream, events, expected);
      await before?.(events.map(({ type }) => type));
      const answer = await this.log.append(stream, events, expected);
      after?.();
      return answer;
    };
    return Object.assign(Object.create(this.log) as EventLog, { append });
  }

  /** The handoff notes that are kept, the oldest first. */
  async notes(): Promise<readonly HandoffNoteLeft['data'][]> {
    const notes: HandoffNoteLeft['data'][] = [];
    for await (const { type, data } of this.log.read(streams.handoff(this.runId))) {
      notes.push(HandoffNoteLeft.parse({ type, data }).data);
    }
    return notes;
  }

  async recorded(): Promise<readonly Recorded<RunEvent>[]> {
    const all: Recorded<RunEvent>[] = [];
    for await (const event of new Runs(this.log, { app: 'gateway', id: 'g' }).events(this.runId)) all.push(event);
    return all;
  }

  async events(): Promise<readonly RunEvent[]> {
    return (await this.recorded()).map(({ event }) => event);
  }

  async types(): Promise<readonly RunEvent['type'][]> {
    return (await this.events()).map(({ type }) => type);
  }
}
