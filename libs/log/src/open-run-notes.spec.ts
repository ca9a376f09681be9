import fc from 'fast-check';
import { OPEN_RUNS_NOTES_KEPT, RELAY_EVENTS, RunId, streams } from '#contracts';
import type { OpenRun } from '#domain';
import { newId, silentLogger, systemClock } from '#platform';
import { aNewEvent } from '#testing';
import { LogRefused } from './errors.js';
import { type EventLog, type Position } from './event-log.js';
import { createMemoryLog } from './memory-log.js';
import { OpenRunNotes, type OpenRunsNote } from './open-run-notes.js';
import { RelayWatch } from './relay-watch.js';

const by = { id: 'sweeper-t', at: new Date(0).toISOString() };
const request = async (log: EventLog, runId: RunId): Promise<void> =>
  void (await log.append(streams.run(runId), [aNewEvent('RunRequested', {})], 'any'));
const aRun = (): RunId => RunId.parse(newId());

/** Watches a log until it has caught up with it. */
async function watching<T>(log: EventLog, look: (watch: RelayWatch) => Promise<T> | T): Promise<T> {
  const watch = new RelayWatch(log, { clock: systemClock, logger: silentLogger });
  watch.start();
  try {
    await watch.ready();
    return await look(watch);
  } finally {
    await watch.stop();
  }
}
const openIn = (log: EventLog): Promise<Record<string, OpenRun>> =>
  watching(log, ({ open }) => Object.fromEntries([...open].map(([runId, { run }]) => [runId, run])));
const noteOf = (log: EventLog): Promise<OpenRunsNote | undefined> => watching(log, (watch) => watch.note());
const leaveNote = async (log: EventLog): Promise<OpenRunsNote> => {
  const note = await noteOf(log);
  if (!note) throw new Error('There is nothing to note.');
  const notes = new OpenRunNotes(log);
  expect(await notes.leave(note, by, await notes.end())).toBeDefined();
  return note;
};
/** The log, and from where each watch has read it. */
function spied(log: EventLog): { readonly log: EventLog; readonly from: (Position | undefined)[] } {
  const from: (Position | undefined)[] = [];
  const followAll: EventLog['followAll'] = (types, after) => {
    from.push(after);
    return log.followAll(types, after);
  };
  return { log: Object.assign(Object.create(log) as EventLog, { followAll }), from };
}
const beginning = async (log: EventLog): Promise<Position | undefined> => {
  const seen = spied(log);
  await openIn(seen.log);
  return seen.from[0];
};

describe('a note of the open runs', () => {
  it('is where a watch begins', async () => {
    const log = createMemoryLog();
    const [ended, open, later] = [aRun(), aRun(), aRun()];
    await request(log, ended);
    await request(log, open);
    await log.append(streams.run(ended), [aNewEvent('RunHalted', {})], 'any');
    const note = await leaveNote(log);
    expect([...note.runs].map(([runId]) => runId)).toEqual([open]);
    await request(log, later);
    expect(Object.keys(await openIn(log))).toEqual([open, later]);
    expect(await beginning(log)).toBe(note.upTo.position);
    expect(await watching(log, ({ eventsRead }) => eventsRead)).toBe(1);
  });

  it('with what came after it tells what the whole log tells, wherever it was left', async () => {
    const step = fc.record({
      run: fc.nat({ max: 3 }),
      type: fc.constantFrom(...RELAY_EVENTS),
      segment: fc.integer({ min: 1, max: 3 }),
      reason: fc.constantFrom('handoff', 'crashed', 'waiting', 'paused', 'finished'),
    });
    const runs = [aRun(), aRun(), aRun(), aRun()];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat({ max: 39 }), async (steps, place) => {
        const [plain, noted] = [createMemoryLog(), createMemoryLog()];
        for (const [nth, { run, type, segment, reason }] of steps.entries()) {
          const event = aNewEvent(type, { segment, reason });
          for (const log of [plain, noted]) await log.append(streams.run(runs[run] as RunId), [event], 'any');
          if (nth === place) await leaveNote(noted);
        }
        expect(await openIn(noted)).toEqual(await openIn(plain));
        expect((await beginning(noted)) !== undefined).toBe(place < steps.length);
      }),
      { numRuns: 60 },
    );
  });

  it('is kept as a blob when it is large, and only the newest ones are kept', async () => {
    const log = createMemoryLog();
    const runs = Array.from({ length: 3_000 }, aRun);
    for (const runId of runs) await request(log, runId);
    for (let nth = 0; nth <= OPEN_RUNS_NOTES_KEPT; nth += 1) await leaveNote(log);
    const kept: unknown[] = [];
    for await (const { data } of log.read(streams.relay)) kept.push(data);
    expect(kept).toHaveLength(OPEN_RUNS_NOTES_KEPT);
    expect(kept.at(-1)).toMatchObject({ runs: { blob: { digest: expect.any(String) } } });
    expect(Object.keys(await openIn(log))).toEqual(runs);
    expect(await beginning(log)).toBeDefined();
  });

  it('is left once when several want to leave it', async () => {
    const log = createMemoryLog();
    await request(log, aRun());
    const note = await noteOf(log);
    const notes = new OpenRunNotes(log);
    if (!note) throw new Error('There is a run.');
    expect(await notes.leave(note, by, undefined)).toBe(0);
    expect(await notes.leave(note, by, undefined)).toBeUndefined();
    expect(await notes.end()).toBe(0);
  });

  it('is not made by who could not read an event, nor of an empty log', async () => {
    const log = createMemoryLog();
    expect(await noteOf(log)).toBeUndefined();
    const runId = aRun();
    await request(log, runId);
    await log.append(streams.run(runId), [aNewEvent('SegmentScheduled', { segment: 'the first' })], 'any');
    expect(await noteOf(log)).toBeUndefined();
    expect(Object.keys(await openIn(log))).toEqual([runId]);
  });

  describe('that cannot be used is passed over:', () => {
    const NOTES = {
      'one of another version of the fold': (data) => ({ ...data, foldVersion: 99 }),
      'one of another log, whose events stand elsewhere': (data) => ({
        ...data,
        upTo: { ...data.upTo, position: String(BigInt(data.upTo.position) + 1n) },
      }),
      'one of another log, without this event': (data) => ({ ...data, upTo: { ...data.upTo, revision: 7 } }),
      'one whose runs are no runs': (data) => ({ ...data, runs: { inline: [['x']] } }),
      'one whose blob is gone': (data) => ({
        ...data,
        runs: { blob: { digest: 'a'.repeat(64), bytes: 3, mediaType: 'application/json' } },
      }),
      'one that is no note': () => ({ hello: 'there' }),
    } as const satisfies Record<string, (data: { upTo: { position: string } }) => object>;

    it.each(Object.entries(NOTES))('%s', async (_, changed) => {
      const log = createMemoryLog();
      const [before, after] = [aRun(), aRun()];
      await request(log, before);
      await request(log, after);
      const { upTo } = (await noteOf(log)) ?? {};
      if (!upTo) throw new Error('There are two runs.');
      const sound = { ...by, by: by.id, foldVersion: 1, upTo, runs: { inline: [] } };
      await log.append(streams.relay, [aNewEvent('OpenRunsNoted', changed(sound))], 'any');
      expect(await beginning(log)).toBeUndefined();
      expect(Object.keys(await openIn(log))).toEqual([before, after]);
      // As it was before it was changed it would be used, and an older one is when the newest cannot be.
      await log.append(streams.relay, [aNewEvent('OpenRunsNoted', sound)], 'any');
      await log.append(streams.relay, [aNewEvent('OpenRunsNoted', changed(sound))], 'any');
      expect(await beginning(log)).toBe(upTo.position);
    });
  });

  it('is one of few, although whoever left the first one died before it could say so', async () => {
    const log = createMemoryLog();
    await request(log, aRun());
    const note = await noteOf(log);
    const dying = Object.assign(Object.create(log) as EventLog, { limit: () => Promise.reject(new Error('killed')) });
    if (!note) throw new Error('There is a run.');
    await expect(new OpenRunNotes(dying).leave(note, by, undefined)).rejects.toThrow('killed');
    const notes = new OpenRunNotes(log);
    for (let nth = 0; nth < OPEN_RUNS_NOTES_KEPT; nth += 1) await notes.leave(note, by, await notes.end());
    const kept: number[] = [];
    for await (const { revision } of log.read(streams.relay)) kept.push(revision);
    expect(kept).toEqual([1, 2, 3]);
  });

  it('is done without where the log will not show it', async () => {
    const log = createMemoryLog();
    const runId = aRun();
    await request(log, runId);
    const refusing = Object.assign(Object.create(log) as EventLog, {
      last: () => Promise.reject(new LogRefused('The event log refuses: it was deleted.')),
    });
    expect(Object.keys(await openIn(refusing))).toEqual([runId]);
  });

  it('is asked for again while the log is away', async () => {
    const log = createMemoryLog();
    await request(log, aRun());
    const { upTo } = await leaveNote(log);
    const seen = spied(log);
    let failures = 2;
    const read: EventLog['read'] = (stream, ...range) => {
      failures -= 1;
      if (failures >= 0) throw new Error('The log is away.');
      return log.read(stream, ...range);
    };
    await openIn(Object.assign(seen.log, { read }));
    expect(seen.from[0]).toBe(upTo.position);
  });
});
