import {
  type EventMetadata,
  type GatewayRunEvent,
  type Recorded,
  type RecordingApp,
  type RunEvent,
  type RunEventOf,
  type RunId,
  SCHEMA_VERSION,
  streams,
} from '#contracts';
import { evolve, fromSnapshot, givenBy, type History, type Run, replay } from '#domain';
import { newId } from '#platform';
import { RunContended, RunUnknown, WrongRevision } from './errors.js';
import type { EventLog, NewEvent, StoredEvent } from './event-log.js';
import { HandoffNotes } from './handoff-notes.js';
import { readRunEvent } from './read-run-event.js';

/** Whom the events are recorded for. */
export interface Recorder<App extends RecordingApp> {
  readonly app: App;
  /** The instance, user or segment that acts. */
  readonly id: string;
}

/** A history and the revision of the note that it was read from; 0 without one. */
export interface ReadHistory extends History {
  readonly notedAt: number;
}

const ATTEMPTS = 10;
const REMEMBERED = 2_000;
/** Events; a shorter run is read at once, without looking for its notes. */
const SHORT_RUN = 20;
/** Events; behind what is remembered so many are read before a handoff note is looked for. */
const SHORT_TAIL = 60;

/** The runs in the log, as one app may see and change them. */
export class Runs<App extends RecordingApp> {
  private readonly remembered = new Map<RunId, Run>();
  private readonly notes: HandoffNotes;

  constructor(
    readonly log: EventLog,
    private readonly recorder: Recorder<App>,
  ) {
    this.notes = new HandoffNotes(log);
  }

  /** The run as it is now; only what came since the last look is read, or since its newest note. Undefined when there is none. */
  async load(runId: RunId): Promise<Run | undefined> {
    const run = (await this.onwards(runId)) ?? (await this.history(runId))?.run;
    if (run) this.remember(runId, run);
    return run;
  }

  /** From what is remembered to the newest event, past what a note spares; undefined when nothing is remembered. */
  private async onwards(runId: RunId): Promise<Run | undefined> {
    const known = this.remembered.get(runId);
    if (!known) return undefined;
    const near = await this.fold(runId, known, SHORT_TAIL);
    if (near.last.revision < known.last.revision + SHORT_TAIL) return near;
    const note = await this.notes.newest(runId);
    const noted = note && note.revision > near.last.revision ? fromSnapshot(note.snapshot, known) : undefined;
    return noted ? (await this.after(runId, noted))?.run : this.fold(runId, near);
  }

  private async fold(runId: RunId, known: Run, max?: number): Promise<Run> {
    let run = known;
    for await (const event of this.events(runId, known.last.revision + 1, max)) run = evolve(run, event);
    return run;
  }

  /**
   * Loads the run, decides, and records the decision if nothing has happened in between; otherwise looks and decides again.
   * @param known what the caller knows of the run: decided on first, without reading
   * @throws RunUnknown, RunContended
   */
  async change(
    runId: RunId,
    decide: (run: Run) => readonly RunEventOf[App][],
    known?: Run,
  ): Promise<{ readonly run: Run; readonly recorded: number }> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const isKnown = attempt === 0 && known !== undefined;
      const run = isKnown ? known : await this.load(runId);
      if (!run) throw new RunUnknown(`There is no run ${runId}.`);
      const events = decide(run);
      if (events.length === 0) return { run, recorded: 0 };
      try {
        const recorded = await this.append(runId, events, run.last.revision);
        const after = recorded.reduce<Run>(evolve, run);
        if (!isKnown) this.remember(runId, after);
        return { run: after, recorded: events.length };
      } catch (error) {
        if (!(error instanceof WrongRevision)) throw error;
      }
    }
    throw new RunContended(`The run ${runId} was changed by others ${ATTEMPTS} times in a row.`);
  }

  /** Records a new run; `exists` when this id was used before. */
  async request(
    this: Runs<'gateway'>,
    runId: RunId,
    event: Extract<GatewayRunEvent, { type: 'RunRequested' }>,
  ): Promise<'created' | 'exists'> {
    try {
      await this.append(runId, [event], 'absent');
      return 'created';
    } catch (error) {
      if (error instanceof WrongRevision) return 'exists';
      throw error;
    }
  }

  /**
   * Appends to a run's stream. `ids` make a repeated append harmless; new ones are made when absent.
   * @throws WrongRevision
   */
  async append(
    runId: RunId,
    events: readonly RunEventOf[App][],
    expected: number | 'absent',
    ids: readonly string[] = events.map(() => newId()),
  ): Promise<readonly Recorded<RunEvent>[]> {
    const metadata = this.metadata(runId);
    const written = events.map(
      ({ type, data }, place): NewEvent => ({ id: ids[place] ?? newId(), type, data, metadata }),
    );
    const { revision } = await this.log.append(streams.run(runId), written, expected);
    const first = revision - events.length + 1;
    return events.map((event, place) => ({ id: written[place]?.id ?? '', revision: first + place, event, metadata }));
  }

  /** The events of a run from a revision on. */
  async *events(runId: RunId, from = 0, max?: number): AsyncIterable<Recorded<RunEvent>> {
    for await (const stored of this.log.read(streams.run(runId), from, max)) yield readRunEvent(stored);
  }

  /** The newest event of a run. */
  async last(runId: RunId): Promise<Recorded<RunEvent> | undefined> {
    const stored = await this.log.last(streams.run(runId));
    return stored && readRunEvent(stored);
  }

  /**
   * The run with the context of its model: from the newest handoff note and what came after it, so that neither time nor
   * memory grow with the run's length (law 8); without a note from the first event.
   */
  async history(runId: RunId): Promise<ReadHistory | undefined> {
    const beginning: Recorded<RunEvent>[] = [];
    for await (const event of this.events(runId, 0, SHORT_RUN)) beginning.push(event);
    const [first] = beginning;
    if (!first) return undefined;
    const begun = beginning.slice(1).reduce<History>(replay, replay(undefined, first));
    if (beginning.length < SHORT_RUN) return { run: begun.run, context: begun.context, notedAt: 0 };
    const note = await this.notes.newest(runId);
    const given = givenBy(first);
    const noted = note && given && fromSnapshot(note.snapshot, given);
    const fromNote = noted && (await this.after(runId, noted));
    if (fromNote) return { run: fromNote.run, context: fromNote.context, notedAt: noted.run.last.revision };
    const whole = await this.after(runId, begun);
    return whole && { run: whole.run, context: whole.context, notedAt: 0 };
  }

  /** Folds what came after; undefined when the log does not reach the history's own end: then it is of another log. */
  private async after(runId: RunId, known: History): Promise<History | undefined> {
    let history: History | undefined;
    for await (const event of this.events(runId, known.run.last.revision)) {
      history = history ? replay(history, event) : known;
    }
    return history;
  }

  private metadata(runId: RunId): EventMetadata {
    const kind = ACTOR_KINDS[this.recorder.app];
    return {
      tenant: 'default',
      correlationId: runId,
      actor: { kind, id: this.recorder.id },
      schemaVersion: SCHEMA_VERSION,
    };
  }

  private remember(runId: RunId, run: Run): void {
    this.remembered.delete(runId);
    this.remembered.set(runId, run);
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > REMEMBERED && oldest) this.remembered.delete(oldest);
  }
}

const ACTOR_KINDS = {
  gateway: 'user',
  coordinator: 'service',
  'segment-runner': 'segment',
  sweeper: 'service',
  'workspace-manager': 'service',
} as const satisfies Record<RecordingApp, EventMetadata['actor']['kind']>;

/** The id of the run that a stored event belongs to, by its stream. */
export const runIdOf = ({ stream }: StoredEvent): RunId => stream.slice('run-'.length) as RunId;
