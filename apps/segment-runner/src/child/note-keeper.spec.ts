import { RunId, streams } from '#contracts';
import type { History } from '#domain';
import { createMemoryLog, type EventLog, HandoffNotes, Runs } from '#log';
import { newId, silentLogger } from '#platform';
import { aNewEvent, facts, given, until } from '#testing';
import { EVENTS_A_NOTE, NoteKeeper } from './note-keeper.js';
import { SegmentLog } from './segment-log.js';

const { history, events } = given(facts.requested(), facts.scheduled(), facts.started());
const clock = { now: () => 0, monotonic: () => 0 };

async function aSegment(
  log: EventLog = createMemoryLog(),
  notes: Pick<HandoffNotes, 'leave'> = new HandoffNotes(log),
  notedAt = history.run.last.revision,
) {
  const runId = RunId.parse(newId());
  const written = events.map(({ event }) => ({ ...aNewEvent(event.type, event.data), metadata: events[0]?.metadata }));
  await log.append(streams.run(runId), written, 'absent');
  const runs = new Runs(log, { app: 'segment-runner', id: 'a' });
  const segmentLog = new SegmentLog(runs, runId, 1, history);
  const keeper = new NoteKeeper(notes, segmentLog, { clock, logger: silentLogger }, notedAt);
  const work = async (steps: number): Promise<void> => {
    for (let step = 0; step < steps; step += 1) {
      await segmentLog.record(() => [
        { type: 'ItemStarted', data: { at: '2026-01-05T08:00:00.000Z', segment: 1, itemId: 'a' } },
      ]);
      keeper.recorded();
    }
  };
  const noted = async (): Promise<number[]> => {
    const notes: number[] = [];
    for await (const { data } of log.read(streams.handoff(runId))) notes.push((data as { revision: number }).revision);
    return notes;
  };
  return { log, runs, runId, segmentLog, keeper, work, noted };
}

/** What a segment that takes over after a crash would go on from. */
const taken = (runs: Runs<'segment-runner'>, runId: RunId): Promise<History | undefined> => runs.history(runId);

describe('the notes of a segment', () => {
  it('are left on the way, so that a crash of a long segment leaves a short tail', async () => {
    const { runs, runId, segmentLog, work, noted } = await aSegment();
    await work(2 * EVENTS_A_NOTE + 10);
    await until(async () => (await noted()).length === 2);
    const [first = 0, second = 0] = await noted();
    expect(first).toBe(2 + EVENTS_A_NOTE);
    expect(second).toBe(2 + 2 * EVENTS_A_NOTE);
    expect(await taken(runs, runId)).toMatchObject(segmentLog.history);
  });

  it('are left at once after a long tail was read: segments that crash leave none, however many there are', async () => {
    const { work, noted } = await aSegment(undefined, undefined, history.run.last.revision - EVENTS_A_NOTE);
    await work(1);
    await until(async () => (await noted()).length === 1);
    expect(await noted()).toEqual([3]);
  });

  it('are not left again for what little came since', async () => {
    const { work, noted } = await aSegment();
    await work(EVENTS_A_NOTE - 1);
    expect(await noted()).toEqual([]);
  });

  it('become rarer with their size, so that they never outgrow the events', async () => {
    const left: number[] = [];
    const huge = {
      leave: (_: RunId, { run }: History) => {
        left.push(run.last.revision);
        return Promise.resolve(1_000_000);
      },
    };
    const { work } = await aSegment(createMemoryLog(), huge);
    await work(2_500);
    expect(left).toEqual([2 + EVENTS_A_NOTE]);
    await work(600);
    expect(left).toHaveLength(2);
  });

  it('do not stop the work when they cannot be left', async () => {
    const store = createMemoryLog();
    const log: EventLog = Object.assign(Object.create(store), {
      append: (stream: string, ...rest: [never, never]) =>
        stream.startsWith('handoff-') ? Promise.reject(new Error('The disk is full.')) : store.append(stream, ...rest),
    });
    const { work, keeper, segmentLog, noted } = await aSegment(log);
    await work(EVENTS_A_NOTE + 1);
    await keeper.leave();
    expect(await noted()).toEqual([]);
    expect(segmentLog.history.run.last.revision).toBe(2 + EVENTS_A_NOTE + 1);
  });
});
