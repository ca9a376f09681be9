import { momentOf, type RunEvent, RunId } from '#contracts';
import { connectLog, type EventLog, Runs } from '#log';
import { newId } from '#platform';
import { aNewEvent, type EmbeddedEventStore, facts, startEventStore, until } from '#testing';
import { type Append, LogProxy, type Treatment, UNTOUCHED } from './log-proxy.js';

/* The real client of the log, the proxy, and the embedded event store. */
let store: EmbeddedEventStore;
let proxy: LogProxy;
let log: EventLog;
/** Repeats an append that was not answered within two seconds. */
let hasty: EventLog;
let appends: Append[];
let treat: (append: Append) => Treatment | Promise<Treatment>;

beforeEach(async () => {
  appends = [];
  treat = () => UNTOUCHED;
  store = await startEventStore();
  proxy = await LogProxy.start({
    port: store.port,
    onAppend: (append) => {
      appends.push(append);
      return treat(append);
    },
  });
  log = connectLog(proxy.url, { timeoutMs: 30_000 });
  hasty = connectLog(proxy.url, { timeoutMs: 2_000 });
});
afterEach(async () => {
  await Promise.all([log.close(), hasty.close()]);
  await proxy.close();
  await store.stop();
});

const aRun = (): { readonly id: RunId; readonly stream: string } => {
  const id = RunId.parse(newId());
  return { id, stream: `run-${id}` };
};
const event = () => aNewEvent();
async function revisions(from: EventLog, stream: string): Promise<readonly number[]> {
  const all: number[] = [];
  for await (const { revision } of from.read(stream)) all.push(revision);
  return all;
}
/** What the store holds, by a way that does not lead through the proxy. */
async function held(stream: string): Promise<number> {
  const direct = connectLog(store.connectionString);
  try {
    return (await revisions(direct, stream)).length;
  } finally {
    await direct.close();
  }
}

describe('a proxy between the log and its client', () => {
  it('passes on appends, refusals, reads, absent streams and subscriptions', async () => {
    const { stream } = aRun();
    expect(await log.append(stream, [event(), event()], 'absent')).toMatchObject({ revision: 1 });
    await expect(log.append(stream, [event()], 'absent')).rejects.toMatchObject({ name: 'WrongRevision' });
    expect(await revisions(log, stream)).toEqual([0, 1]);
    expect(await revisions(log, 'run-none')).toEqual([]);
    expect(await log.last(stream)).toMatchObject({ revision: 1 });
    expect(await log.end()).toMatch(/^\d+$/);
    const seen: number[] = [];
    const following = log.follow(stream, -1);
    void (async () => {
      for await (const delivery of following) if (delivery.kind === 'event') seen.push(delivery.event.revision);
    })();
    await until(() => seen.length === 2);
    await log.append(stream, [event()], 1);
    await until(() => seen.length === 3);
    await following.close();
    expect(seen).toEqual([0, 1, 2]);
  });

  it('passes on a large append and a long read', async () => {
    const { stream } = aRun();
    const large = { ...event(), data: { text: 'x'.repeat(800_000) } };
    await log.append(stream, [large], 'absent');
    for (let page = 0; page < 5; page += 1) {
      await log.append(
        stream,
        Array.from({ length: 500 }, () => event()),
        'any',
      );
    }
    expect((await revisions(log, stream)).length).toBe(2_501);
    expect((await log.last(stream))?.revision).toBe(2_500);
  });

  it('shows each append to the stream of a run with what it holds, and no other one', async () => {
    const { id } = aRun();
    const start = facts.started(1)(momentOf(0), 0) as Extract<RunEvent, { type: 'SegmentStarted' }>;
    await log.append(`handoff-${id}`, [event()], 'any');
    const runs = new Runs(log, { app: 'segment-runner', id: 'test' });
    const [recorded] = await runs.append(id, [start], 'absent');
    expect(appends).toMatchObject([{ run: id, events: [{ id: recorded?.id, type: 'SegmentStarted' }] }]);
    expect(JSON.parse(appends[0]?.events[0]?.data ?? '')).toEqual(start.data);
  });

  it('keeps an append from the log, and the ones before and after it not', async () => {
    const { stream } = aRun();
    treat = () => (appends.length === 2 ? { forward: false, answer: 'swallow' } : UNTOUCHED);
    await log.append(stream, [event()], 'absent');
    const lost = event();
    const second = hasty.append(stream, [lost], 0);
    await until(() => appends.length === 2);
    expect(await held(stream)).toBe(1);
    expect(await second).toMatchObject({ revision: 1 });
    expect(appends).toHaveLength(3);
    expect(appends[2]?.events[0]?.id).toBe(lost.id);
    expect(await held(stream)).toBe(2);
  });

  it.each(['swallow', 'fail'] as const)(
    'lets the writer repeat an append whose answer is lost (%s): it is in the log once',
    async (answer) => {
      const { stream } = aRun();
      let committed = 0;
      const answered = (): void => {
        committed += 1;
      };
      treat = () => (appends.length === 1 ? { forward: true, answer, answered } : UNTOUCHED);
      expect(await hasty.append(stream, [event(), event()], 'absent')).toMatchObject({ revision: 1 });
      expect([committed, appends.length]).toEqual([1, 2]);
      expect(await held(stream)).toBe(2);
      expect(await log.append(stream, [event()], 1)).toMatchObject({ revision: 2 });
    },
  );

  it('says that an append is committed before its writer hears of it', async () => {
    const { stream } = aRun();
    let committed: Promise<number> | undefined;
    treat = () => ({
      forward: true,
      answer: 'swallow',
      answered: () => {
        committed ??= held(stream);
      },
    });
    const written = hasty.append(stream, [event()], 'absent').catch(() => undefined);
    await until(() => committed !== undefined);
    expect(await committed).toBe(1);
    await written;
  });

  it('lets nothing of the connection pass while it is cut off, and everything afterwards', async () => {
    const { stream } = aRun();
    let heal: () => void = () => undefined;
    treat = ({ cutOff }) => {
      if (appends.length === 1) cutOff(new Promise<void>((resolve) => (heal = resolve)));
      return UNTOUCHED;
    };
    const written = log.append(stream, [event()], 'absent');
    await until(() => appends.length === 1);
    await expect(revisions(hasty, stream)).rejects.toThrow(/did not answer/);
    expect(await held(stream)).toBe(0);
    heal();
    expect(await written).toMatchObject({ revision: 0 });
    expect(await revisions(log, stream)).toEqual([0]);
  });

  it('loses the connection of a client when the store is gone', async () => {
    const { stream } = aRun();
    await log.append(stream, [event()], 'absent');
    await store.stop();
    await expect(log.append(stream, [event()], 0)).rejects.toThrow(/does not answer|did not answer/);
  });
});
