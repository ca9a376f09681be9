import { HANDOFF_NOTES_KEPT, RunId, streams } from '#contracts';
import { FOLD_VERSION, snapshotOf } from '#domain';
import { newId } from '#platform';
import { aNewEvent, facts, given } from '#testing';
import { createMemoryLog, type EventLog, HandoffNotes, Runs } from './index.js';

type Requested = Parameters<Runs<'gateway'>['request']>[1];
const at = '2026-01-05T08:00:00.000Z';
const requested = () => facts.requested()(at, 0) as Requested;
const message = (text: string) => ({
  type: 'MessageReceived' as const,
  data: { at, messageId: text, text, interrupt: false, by: 'ann' },
});

async function aRun(): Promise<{ log: EventLog; runs: Runs<'gateway'>; runId: RunId }> {
  const log = createMemoryLog();
  const runs = new Runs(log, { app: 'gateway', id: 'ann' });
  const runId = RunId.parse(newId());
  await runs.request(runId, requested());
  return { log, runs, runId };
}
const another = (log: EventLog) => new Runs(log, { app: 'gateway', id: 'bob' });

describe('the runs in the log', () => {
  it('are requested once', async () => {
    const { runs, runId } = await aRun();
    expect(await runs.request(runId, requested())).toBe('exists');
  });

  it('are loaded up to the newest event, each time', async () => {
    const { log, runs, runId } = await aRun();
    expect((await runs.load(runId))?.last.revision).toBe(0);
    await another(log).change(runId, () => [message('a')]);
    expect((await runs.load(runId))?.last.revision).toBe(1);
    expect(await runs.load(RunId.parse(newId()))).toBeUndefined();
  });

  it('lose no change when many change one run at once', async () => {
    const { log, runs, runId } = await aRun();
    const names = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(names.map((name) => another(log).change(runId, () => [message(name)])));
    expect((await runs.load(runId))?.unread).toEqual([1, 2, 3, 4, 5]);
  });

  it('decide again on what came in between', async () => {
    const { log, runs, runId } = await aRun();
    await runs.load(runId);
    await another(log).change(runId, () => [message('a')]);
    const once = (run: { unread: readonly number[] }) => (run.unread.length === 0 ? [message('b')] : []);
    expect(await runs.change(runId, once)).toMatchObject({ recorded: 0, run: { unread: [1] } });
  });

  it('give up on a run that others change without end', async () => {
    const { log, runId } = await aRun();
    let n = 0;
    const intruding: EventLog = Object.assign(Object.create(log), {
      append: async (...append: Parameters<EventLog['append']>) => {
        n += 1;
        await another(log).change(runId, () => [message(`${n}`)]);
        return log.append(...append);
      },
    });
    await expect(another(intruding).change(runId, () => [message('b')])).rejects.toMatchObject({
      code: 'run-contended',
    });
  });

  it('are unknown to a change when they were never requested', async () => {
    const { runs } = await aRun();
    await expect(runs.change(RunId.parse(newId()), () => [])).rejects.toMatchObject({ code: 'run-unknown' });
  });

  it('decide nothing on an event that cannot be read', async () => {
    const { log, runs, runId } = await aRun();
    await log.append(streams.run(runId), [aNewEvent('FromTheFuture')], 0);
    await expect(runs.load(runId)).rejects.toMatchObject({ code: 'unknown-fact' });
  });

  it('write an append once that is repeated with the same ids', async () => {
    const { runs, runId } = await aRun();
    const ids = [newId()];
    const first = await runs.append(runId, [message('a')], 0, ids);
    expect(await runs.append(runId, [message('a')], 0, ids)).toEqual(first);
    expect((await runs.load(runId))?.unread).toEqual([1]);
  });
});

describe('handoff notes', () => {
  /** Longer than what is read at once. */
  const talk = Array.from({ length: 30 }, (_, n) => facts.message(`${n}`));
  const { history, events } = given(
    facts.requested({ items: ['a', 'b'] }),
    facts.scheduled(),
    facts.started(),
    ...talk,
  );
  const end = events.length - 1;
  const by = { segment: 1, at };

  /** A run in the log with these events, and one that says that a history was read and not folded from the first event. */
  async function aNotedRun() {
    const log = createMemoryLog();
    const runId = RunId.parse(newId());
    const written = events.map(({ event }) => ({
      ...aNewEvent(event.type, event.data),
      metadata: events[0]?.metadata,
    }));
    await log.append(streams.run(runId), written, 'absent');
    const from: number[] = [];
    const watched: EventLog = Object.assign(Object.create(log), {
      read: (...[stream, first = 0, max]: Parameters<EventLog['read']>) => {
        if (stream === streams.run(runId) && max === undefined) from.push(first);
        return log.read(stream, first, max);
      },
    });
    return { log, runId, from, notes: new HandoffNotes(log), runs: another(watched) };
  }
  const told = (of: typeof history, text: string) => ({ ...of, run: { ...of.run, input: text } });

  it('are gone on from: the tail is read, not the history', async () => {
    const { runs, runId, notes, from } = await aNotedRun();
    await notes.leave(runId, history, by);
    expect(await runs.history(runId)).toMatchObject(history);
    expect(from).toEqual([end]);
  });

  it('hold nothing of what the first event says: it is read from there', async () => {
    const { runs, runId, notes, log } = await aNotedRun();
    await notes.leave(runId, told(history, 'something else'), by);
    expect(await runs.history(runId)).toMatchObject(history);
    const note = (await log.last(streams.handoff(runId)))?.data;
    expect(note).toMatchObject({ snapshot: { inline: { run: { progress: 'oo' } } } });
    expect(note).not.toHaveProperty('snapshot.inline.run.items');
  });

  it('are read for a run that was looked at long ago', async () => {
    const { runs, runId, notes, log, from } = await aNotedRun();
    await runs.load(runId);
    for (let n = 0; n < 150; n += 1) await another(log).change(runId, () => [message(`${n}`)]);
    const now = await another(log).history(runId);
    if (now) await notes.leave(runId, now, by);
    from.length = 0;
    expect(await runs.load(runId)).toEqual(now?.run);
    expect(from).toEqual([end + 150]);
  });

  it('are not needed for what came just now, and what is read is not read again', async () => {
    const { runs, runId, log, from } = await aNotedRun();
    await runs.load(runId);
    for (let n = 0; n < 59; n += 1) await another(log).change(runId, () => [message(`${n}`)]);
    from.length = 0;
    expect((await runs.load(runId))?.last.revision).toBe(end + 59);
    expect(from).toEqual([]);
    for (let n = 0; n < 100; n += 1) await another(log).change(runId, () => [message(`more ${n}`)]);
    expect(await runs.load(runId)).toEqual((await another(log).history(runId))?.run);
    expect(from).toEqual([end + 59 + 61]);
  });

  it('are passed over by whoever knows more than they say', async () => {
    const { runs, runId, notes, log, from } = await aNotedRun();
    await runs.load(runId);
    await notes.leave(runId, history, by);
    for (let n = 0; n < 100; n += 1) await another(log).change(runId, () => [message(`${n}`)]);
    from.length = 0;
    expect((await runs.load(runId))?.last.revision).toBe(end + 100);
    expect(from).toEqual([end + 61]);
  });

  const leave = (log: EventLog, runId: RunId, change: object) => {
    const note = { ...by, revision: end, foldVersion: FOLD_VERSION, done: '', inProgress: '', next: '' };
    const data = { ...note, snapshot: { inline: snapshotOf(history) }, ...change };
    return log.append(streams.handoff(runId), [aNewEvent('HandoffNoteLeft', data)], 'any');
  };
  const unusable: readonly [string, object][] = [
    ['of another fold version', { foldVersion: FOLD_VERSION + 1 }],
    ['that cannot be read', { snapshot: 'torn' }],
    ['whose snapshot is torn', { snapshot: { inline: { run: {}, context: {} } } }],
    ['of another revision than they say', { revision: 1 }],
    ['of other items', { snapshot: { inline: snapshotOf({ ...history, run: { ...history.run, progress: 'ooo' } }) } }],
    [
      'that are ahead of the log',
      {
        revision: end + 7,
        snapshot: {
          inline: snapshotOf({ ...history, run: { ...history.run, last: { ...history.run.last, revision: end + 7 } } }),
        },
      },
    ],
    [
      'whose snapshot is lost',
      { snapshot: { blob: { digest: 'a'.repeat(64), bytes: 1, mediaType: 'application/json' } } },
    ],
  ];

  it.each(unusable)('%s are passed over: the log alone suffices', async (_, change) => {
    const { runs, runId, log } = await aNotedRun();
    await leave(log, runId, change);
    expect(await runs.history(runId)).toMatchObject(history);
    expect((await runs.load(runId))?.last.revision).toBe(end);
  });

  it('are few, although whoever left the first one died before it could say so', async () => {
    const { runId, notes, log } = await aNotedRun();
    const dying = Object.assign(Object.create(log) as EventLog, { limit: () => Promise.reject(new Error('killed')) });
    await expect(new HandoffNotes(dying).leave(runId, history, by)).rejects.toThrow('killed');
    for (let nth = 0; nth < HANDOFF_NOTES_KEPT; nth += 1) await notes.leave(runId, history, by);
    const kept: number[] = [];
    for await (const { revision } of log.read(streams.handoff(runId))) kept.push(revision);
    expect(kept).toEqual([1, 2, 3]);
  });

  it('give way to the one before when the newest cannot be used', async () => {
    const { runs, runId, notes, log, from } = await aNotedRun();
    await notes.leave(runId, history, by);
    await leave(log, runId, { foldVersion: FOLD_VERSION + 1 });
    expect(await runs.history(runId)).toMatchObject(history);
    expect(from).toEqual([end]);
  });
});
