import { RunId, streams } from '#contracts';
import { FOLD_VERSION } from '#domain';
import { newId } from '#platform';
import { aNewEvent, facts, given } from '#testing';
import { createMemoryLog, type EventLog, Runs } from './index.js';

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
  const { history } = given(facts.requested(), facts.scheduled(), facts.started());
  const leave = (log: EventLog, runId: RunId, change: object) =>
    log.append(
      streams.handoff(runId),
      [
        aNewEvent('HandoffNoteLeft', {
          at,
          segment: 1,
          revision: 2,
          foldVersion: FOLD_VERSION,
          done: '',
          inProgress: '',
          next: '',
          snapshot: { inline: history },
          ...change,
        }),
      ],
      'any',
    );

  it('are used as they were left', async () => {
    const { log, runs, runId } = await aRun();
    await leave(log, runId, {});
    expect(await runs.note(runId)).toEqual({ history, revision: 2 });
  });

  it.each([
    ['of another fold version', { foldVersion: FOLD_VERSION + 1 }],
    ['that cannot be read', { snapshot: 'torn' }],
    [
      'whose snapshot is lost',
      { snapshot: { blob: { digest: 'a'.repeat(64), bytes: 1, mediaType: 'application/json' } } },
    ],
  ])('%s are passed over', async (_, change) => {
    const { log, runs, runId } = await aRun();
    await leave(log, runId, change);
    expect(await runs.note(runId)).toBeUndefined();
    expect((await another(log).load(runId))?.last.revision).toBe(0);
  });
});
