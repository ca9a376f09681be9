import { Commits } from './commits.js';
import type { Database } from './database.js';
import { checksumOf, type ProposedEvent, TOMBSTONE } from './event.js';
import { type Expected, judge, type Recorded } from './expectation.js';
import type { Mark } from './mark.js';
import { EventTypes } from './names.js';
import { isMetastream, isSoftDeleted, metastreamOf, policyOf, withTruncation } from './policy.js';
import { isTombstoned, type StreamState, Streams } from './streams.js';
import { Wakeups } from './wakeups.js';

export interface AppendRequest {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly ProposedEvent[];
  /** By `performance.now()`, which no clock jump moves: from then on the writer no longer waits, and nothing must be recorded. */
  readonly deadline?: number | undefined;
}

export type AppendOutcome =
  /** The revision is -1 after an empty append to a stream that does not exist. */
  | { readonly kind: 'appended'; readonly revision: number; readonly position: number }
  /** `current` is -1 when there is no stream. */
  | { readonly kind: 'wrong-expected-version'; readonly current: number }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'too-late' };

const JSON_EVENT = { json: true, metadata: new Uint8Array(0) };

/** The one writer of the database. */
export class EventLog {
  readonly streams: Streams;
  readonly types: EventTypes;
  readonly wakeups = new Wakeups();
  readonly commits: Commits;
  private readonly insert;
  private readonly revisionById;
  private readonly idByRevision;
  private readonly positionByRevision;
  private readonly newest;
  private position = 0;

  constructor(
    private readonly database: Database,
    private readonly now: () => number,
    mark?: Mark,
  ) {
    this.streams = new Streams(database);
    this.types = new EventTypes(database);
    this.insert = database.prepare(
      'INSERT INTO events (stream, revision, type, id, created, json, checksum, metadata, data, position) VALUES (?,?,?,?,?,?,?,?,?,?)',
    );
    this.revisionById = database.prepare(
      'SELECT revision FROM events INDEXED BY events_by_id WHERE stream=? AND id=? ORDER BY revision LIMIT 1',
    );
    this.idByRevision = database.prepare('SELECT id FROM events WHERE stream=? AND revision=?');
    this.positionByRevision = database.prepare('SELECT position FROM events WHERE stream=? AND revision=?');
    this.newest = database.prepare('SELECT data FROM events WHERE stream=? ORDER BY revision DESC LIMIT 1');
    this.reload();
    mark?.require(this.position);
    this.commits = new Commits(database, {
      committed: () => {
        mark?.set(this.position);
        this.wakeups.ring();
      },
      rolledBack: () => this.reload(),
    });
  }

  /** The position of the last event in `$all`; 0 when there is none. */
  get lastPosition(): number {
    return this.position;
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return this.commits.submit(() => this.appendNow(request));
  }

  /** Soft delete: readers find no stream any more; the next append goes on with the next revision. */
  delete(stream: string, expected: Expected): Promise<AppendOutcome> {
    return this.commits.submit(() => this.remove(stream, expected, (state) => this.softDelete(state)));
  }

  /** Hard delete: the name is never to be used again. */
  tombstone(stream: string, expected: Expected): Promise<AppendOutcome> {
    return this.commits.submit(() =>
      this.remove(stream, expected, (state) => {
        this.write(state, TOMBSTONE, {
          ...JSON_EVENT,
          id: randomId(),
          type: '$streamDeleted',
          data: Buffer.from('{}'),
        });
      }),
    );
  }

  private remove(stream: string, expected: Expected, write: (state: StreamState) => void): AppendOutcome {
    const state = this.streams.get(stream);
    if (isTombstoned(state)) return { kind: 'deleted' };
    const verdict = this.judge(state, expected, []);
    if (verdict.kind === 'deleted') return { kind: 'deleted' };
    if (verdict.kind !== 'append') return { kind: 'wrong-expected-version', current: this.current(state) };
    this.commits.begin();
    write(state);
    return { kind: 'appended', revision: state.last, position: this.position };
  }

  private softDelete(state: StreamState): void {
    this.truncate(state, '9223372036854775807');
  }

  /** For work that other parts of the server do inside a commit. */
  appendNow({ stream, expected, events, deadline }: AppendRequest): AppendOutcome {
    if (deadline !== undefined && deadline <= performance.now()) return { kind: 'too-late' };
    const state = this.streams.get(stream);
    if (isTombstoned(state) || (isMetastream(stream) && isTombstoned(this.streams.get(stream.slice(2)))))
      return { kind: 'deleted' };
    const ids = events.map(({ id }) => id);
    const verdict = this.judge(state, expected, ids);
    switch (verdict.kind) {
      case 'deleted':
        return verdict;
      case 'wrong-expected-version':
        return { kind: verdict.kind, current: this.current(state) };
      case 'repeated':
        return { kind: 'appended', revision: verdict.last, position: this.positionOf(state, verdict.last) };
      case 'append':
        this.writeAll(state, events);
        return { kind: 'appended', revision: state.last, position: this.position };
    }
  }

  private writeAll(state: StreamState, events: readonly ProposedEvent[]): void {
    if (events.length === 0) return;
    this.commits.begin();
    if (isSoftDeleted(state.policy)) this.truncate(state, String(state.last + 1));
    for (const event of events) this.write(state, state.last + 1, event);
    const last = events.at(-1);
    if (last && isMetastream(state.name)) this.streams.get(state.name.slice(2)).policy = policyOf(last.data);
  }

  private write(state: StreamState, revision: number, event: ProposedEvent): void {
    const created = Math.floor(this.now() * 1000);
    const checksum = checksumOf({ ...event, stream: state.name, revision, created });
    const { id, type, json, metadata, data } = event;
    const stream = this.streams.idOf(state);
    this.position += 1;
    this.insert.run(
      stream,
      revision,
      this.types.idOf(type),
      id,
      created,
      Number(json),
      checksum,
      metadata.length > 0 ? metadata : null,
      data.length > 0 ? data : null,
      this.position,
    );
    state.last = revision;
    this.wakeups.touch(state.name);
  }

  private truncate(state: StreamState, before: string): void {
    const meta = this.streams.get(metastreamOf(state.name));
    const present =
      meta.id === undefined ? undefined : (this.newest.get(meta.id) as { data: Uint8Array | null } | undefined);
    const data = withTruncation(present?.data ?? undefined, before);
    this.write(meta, meta.last + 1, { ...JSON_EVENT, id: randomId(), type: '$metadata', data });
    state.policy = policyOf(data);
  }

  private judge(state: StreamState, expected: Expected, ids: readonly Uint8Array[]) {
    return judge(state, expected, ids, this.recorded(state));
  }

  private recorded({ id: stream, name }: StreamState): Recorded {
    const hasMetadata = () => this.streams.get(metastreamOf(name)).last >= 0;
    if (stream === undefined) return { revisionOf: () => undefined, idAt: () => undefined, hasMetadata };
    return {
      hasMetadata,
      revisionOf: (id) => (this.revisionById.get(stream, id) as { revision: number } | undefined)?.revision,
      idAt: (revision) => (this.idByRevision.get(stream, revision) as { id: Uint8Array } | undefined)?.id,
    };
  }

  private positionOf({ id }: StreamState, revision: number): number {
    return (this.positionByRevision.get(id ?? -1, revision) as { position: number } | undefined)?.position ?? 0;
  }

  private current(state: StreamState): number {
    return isSoftDeleted(state.policy) && state.last < 0 ? -1 : state.last;
  }

  private reload(): void {
    this.streams.forget();
    this.types.reload();
    this.wakeups.forget();
    const { last } = this.database.prepare('SELECT max(position) AS last FROM events').get() as { last: number | null };
    const kept = this.database.prepare("SELECT value FROM settings WHERE name='last-position'").get() as
      | { value: string }
      | undefined;
    this.position = Math.max(last ?? 0, Number(kept?.value ?? 0));
  }
}

const randomId = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));
