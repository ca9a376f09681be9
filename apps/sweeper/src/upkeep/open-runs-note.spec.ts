import { RunId, streams } from '#contracts';
import { createMemoryLog, type EventLog, OpenRunNotes, RelayWatch } from '#log';
import { newId, silentLogger, systemClock } from '#platform';
import { aNewEvent, until } from '#testing';
import { OpenRunsNoteKeeper } from './open-runs-note.js';

describe('the note of the open runs', () => {
  const log: EventLog = createMemoryLog();
  const watches: RelayWatch[] = [];
  let requested = 0;
  const request = async (): Promise<void> => {
    await log.append(streams.run(RunId.parse(newId())), [aNewEvent('RunRequested', {})], 'any');
    requested += 1;
    await until(() => watches.every(({ open }) => open.size === requested));
  };
  const sweeper = async (id: string): Promise<OpenRunsNoteKeeper> => {
    const watch = new RelayWatch(log, { clock: systemClock, logger: silentLogger });
    watch.start();
    await watch.ready();
    watches.push(watch);
    return new OpenRunsNoteKeeper({ notes: new OpenRunNotes(log), watch, clock: systemClock, id }, 2);
  };
  const noted = async (): Promise<unknown[]> => {
    const by: unknown[] = [];
    for await (const { data } of log.read(streams.relay)) by.push(Object(data).by);
    return by;
  };
  afterAll(async () => {
    for (const watch of watches) await watch.stop();
  });

  it('is left when enough has happened since the last one, by one of several sweepers', async () => {
    const [one, other] = [await sweeper('one'), await sweeper('other')];
    const rounds = async () => [await one.round(), await other.round()];
    await request();
    expect(await rounds()).toEqual([false, false]);
    await request();
    expect(await rounds()).toEqual([true, false]);
    await request();
    expect(await rounds()).toEqual([false, false]);
    await request();
    expect([await other.round(), await one.round()]).toEqual([true, false]);
    await request();
    expect(await rounds()).toEqual([false, false]);
    expect(await noted()).toEqual(['one', 'other']);
  });

  it('is where the next sweeper begins', async () => {
    const [first] = watches;
    await sweeper('next');
    const next = watches.at(-1);
    expect(next?.open.size).toBe(requested);
    expect(first?.eventsRead).toBe(requested);
    expect(next?.eventsRead).toBe(1);
  });
});
