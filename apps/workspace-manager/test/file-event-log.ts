import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { type Appended, type EventLog, type Expected, type NewEvent, type StoredEvent, WrongRevision } from '#log';

const unused = (): never => {
  throw new Error('this log only appends and reads streams');
};

/** An event log in one file, for tests: it outlives the process that writes it. Only what a manager uses is there. */
export class FileEventLog implements EventLog {
  constructor(private readonly file: string) {}

  async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended> {
    const there = this.stream(stream);
    const known = there.find((event) => event.id === events[0]?.id);
    if (known) return { revision: known.revision, position: known.position };
    const last = there.at(-1)?.revision;
    const fits = expected === 'any' || (expected === 'absent' ? last === undefined : last === expected);
    if (!fits) throw new WrongRevision(stream, expected, last);
    const revision = there.length + events.length - 1;
    const lines = events.map((event, place) =>
      JSON.stringify({ ...event, stream, revision: there.length + place, position: '0', created: Date.now() }),
    );
    appendFileSync(this.file, `${lines.join('\n')}\n`);
    return { revision, position: '0' };
  }

  async *read(stream: string, from = 0): AsyncIterable<StoredEvent> {
    yield* this.stream(stream).filter((event) => event.revision >= from);
  }

  async last(stream: string): Promise<StoredEvent | undefined> {
    return this.stream(stream).at(-1);
  }

  follow = unused;
  followAll = unused;
  readAll = unused;
  end = unused;
  readBesides = unused;
  async limit(): Promise<void> {}
  remove = unused;
  async ping(): Promise<void> {}
  async close(): Promise<void> {}

  private stream(name: string): StoredEvent[] {
    if (!existsSync(this.file)) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as StoredEvent).filter((event) => event.stream === name);
  }
}
