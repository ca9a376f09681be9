/**
 * Notes of which runs were open at a place of the log, in the stream `relay`: a speed-up. Whoever starts reads on from
 * there, and not every run that ever was.
 *
 * N1  A note is used only by the version of the fold that made it, and only in the log that it was made from: the event
 *     that it names must stand at the very place that it names. A log that was copied event by event has other places.
 * N2  A note that cannot be used is passed over for an older one, and in the end for the beginning of the log.
 */
import {
  type Moment,
  NotedRuns,
  OPEN_RUNS_NOTES_KEPT,
  OpenRunsNoted,
  type RunId,
  SCHEMA_VERSION,
  streams,
} from '#contracts';
import { OPEN_RUNS_VERSION, type OpenRun } from '#domain';
import { newId } from '#platform';
import { Blobs } from './blobs.js';
import { LogRefused, WrongRevision } from './errors.js';
import type { EventLog, Position, StoredEvent } from './event-log.js';
import { contentOf, keepNewest, keptContent, newestUsable } from './notes.js';

/** A place in the log, named twice. */
export interface Place {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
}

export interface OpenRunsNote {
  readonly upTo: Place;
  readonly runs: Iterable<readonly [RunId, OpenRun]>;
}

export class OpenRunNotes {
  private readonly blobs: Blobs;

  constructor(private readonly log: EventLog) {
    this.blobs = new Blobs(log);
  }

  /**
   * @param after the last revision of the stream
   * @returns the revision of the note; undefined when somebody else has left one since
   */
  async leave(
    { upTo, runs }: OpenRunsNote,
    by: { readonly id: string; readonly at: Moment },
    after: number | undefined,
  ): Promise<number | undefined> {
    const noted: NotedRuns = [...runs].map(([runId, { phase, segment, revision, cancelled, paused, asked }]) => [
      runId,
      phase,
      segment,
      revision,
      { cancelled, paused, asked },
    ]);
    const { kept } = await keptContent(this.blobs, noted);
    const data: OpenRunsNoted['data'] = { at: by.at, by: by.id, foldVersion: OPEN_RUNS_VERSION, upTo, runs: kept };
    const actor = { kind: 'service', id: by.id };
    const metadata = { tenant: 'default', correlationId: streams.relay, actor, schemaVersion: SCHEMA_VERSION };
    const event = { id: newId(), type: 'OpenRunsNoted', data, metadata };
    try {
      const { revision } = await this.log.append(streams.relay, [event], after ?? 'absent');
      await keepNewest(this.log, streams.relay, revision, OPEN_RUNS_NOTES_KEPT);
      return revision;
    } catch (error) {
      if (error instanceof WrongRevision) return undefined;
      throw error;
    }
  }

  /** The last revision of the stream; undefined while nobody has left a note. */
  async end(): Promise<number | undefined> {
    return (await this.log.last(streams.relay))?.revision;
  }

  /** The newest note that can be used; none when the log will not show them. @throws Unavailable */
  async newest(): Promise<OpenRunsNote | undefined> {
    try {
      return await newestUsable(this.log, streams.relay, (stored) => this.read(stored));
    } catch (error) {
      if (error instanceof LogRefused) return undefined;
      throw error;
    }
  }

  private async read({ type, data }: StoredEvent): Promise<OpenRunsNote | undefined> {
    const note = OpenRunsNoted.safeParse({ type, data });
    if (!note.success || note.data.data.foldVersion !== OPEN_RUNS_VERSION) return undefined;
    const { upTo, runs } = note.data.data;
    if (!(await this.isHere(upTo))) return undefined;
    const noted = NotedRuns.safeParse(await contentOf(this.blobs, runs));
    return noted.success ? { upTo, runs: noted.data.map(openRun) } : undefined;
  }

  private async isHere({ position, stream, revision }: Place): Promise<boolean> {
    for await (const stored of this.log.read(stream, revision, 1)) return stored.position === position;
    return false;
  }
}

const openRun = ([runId, phase, segment, revision, wishes]: NotedRuns[number]): readonly [RunId, OpenRun] => [
  runId,
  { phase, segment, revision, ...wishes },
];
