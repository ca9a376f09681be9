import { setImmediate as turn } from 'node:timers/promises';
import { momentOf, type RunEvent, RunId, streams } from '#contracts';
import type { SegmentEvent } from '#domain';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { newId, Unavailable } from '#platform';
import { facts } from '#testing';
import { Fenced, SegmentLog } from './segment-log.js';

const { requested, scheduled, started, message, presumedDead, cancelRequested, ended } = facts;
const at = momentOf(0);
const nearing = (used: number): SegmentEvent => ({
  type: 'CapNeared',
  data: { at, segment: 1, cap: 'steps', used, limit: 100 },
});

/** What happens to an append: the line breaks before it is written or after, or somebody else writes first. */
type Mishap = 'lost' | 'unanswered' | Meddling;
type Meddling = readonly facts.Fact[] | { readonly wrote: readonly facts.Fact[]; readonly unreadable: number };

/** A log over a line that breaks, as the test says for one append after the other. */
function overBadLine(
  log: EventLog,
  mishaps: Mishap[],
  others: (wrote: readonly facts.Fact[]) => Promise<void>,
): EventLog {
  let atWork = 0;
  let unreadable = 0;
  const append: EventLog['append'] = async (...args) => {
    atWork += 1;
    if (atWork > 1) throw new Error('Two appends are on their way at once.');
    await turn();
    atWork -= 1;
    const mishap = mishaps.shift();
    if (mishap === 'lost') throw new Unavailable('The line is cut.');
    if (Array.isArray(mishap)) await others(mishap);
    if (typeof mishap === 'object' && 'wrote' in mishap) {
      await others(mishap.wrote);
      unreadable = mishap.unreadable;
    }
    const answer = await log.append(...args);
    if (mishap === 'unanswered') throw new Unavailable('The line was cut.');
    return answer;
  };
  const read: EventLog['read'] = async function* (...args) {
    unreadable -= 1;
    if (unreadable >= 0) throw new Unavailable('The line is cut.');
    yield* log.read(...args);
  };
  return Object.assign(Object.create(log) as EventLog, { append, read });
}

async function inSegment(...mishaps: Mishap[]) {
  const log = createMemoryLog();
  const runId = RunId.parse(newId());
  const others = async (wrote: readonly facts.Fact[]): Promise<void> => {
    for (const fact of wrote) {
      const revision = ((await log.last(streams.run(runId)))?.revision ?? -1) + 1;
      const { type, data } = fact(at, revision);
      const metadata = {
        tenant: 'default',
        correlationId: runId,
        actor: { kind: 'service', id: 't' },
        schemaVersion: 1,
      };
      await log.append(streams.run(runId), [{ id: newId(), type, data, metadata }], 'any');
    }
  };
  await others([requested({ items: ['a'] }), scheduled(), started()]);
  const runs = new Runs(overBadLine(log, mishaps, others), { app: 'segment-runner', id: 'test' });
  const history = await runs.history(runId);
  if (!history) throw new Error('There is no run.');
  const segmentLog = new SegmentLog(runs, runId, 1, history);
  const written = async (): Promise<readonly RunEvent['type'][]> => {
    const types: RunEvent['type'][] = [];
    for await (const { event } of runs.events(runId, 3)) types.push(event.type);
    return types;
  };
  return { segmentLog, others, written };
}

describe('G1 a segment', () => {
  it('records one append after the other, however many are asked for at once', async () => {
    const { segmentLog, written } = await inSegment();
    const uses = Array.from({ length: 20 }, (_, used) => used);
    await Promise.all(uses.map((used) => segmentLog.record(() => [nearing(used)])));
    expect(await written()).toHaveLength(20);
    expect(segmentLog.history.run.last.revision).toBe(22);
  });

  it('goes on after a decision that failed', async () => {
    const { segmentLog, written } = await inSegment();
    const failing = segmentLog.record(() => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await segmentLog.record(() => [nearing(1)]);
    expect(await written()).toEqual(['CapNeared']);
  });
});

describe('G2 on a conflict a segment', () => {
  it('folds in what came and decides again on the new state', async () => {
    const { segmentLog, written } = await inSegment([message('Hurry.')]);
    const seen: number[] = [];
    await segmentLog.record(({ run }) => {
      seen.push(run.unread.length);
      return [nearing(run.unread.length)];
    });
    expect(seen).toEqual([0, 1]);
    expect(await written()).toEqual(['MessageReceived', 'CapNeared']);
  });

  it('records nothing when the new state asks for nothing', async () => {
    const { segmentLog, written } = await inSegment([cancelRequested()]);
    await segmentLog.record(({ run }) => (run.cancel ? [] : [nearing(1)]));
    expect(await written()).toEqual(['CancelRequested']);
  });

  it.each([
    ['presumed dead', [presumedDead()]],
    ['given to the next segment', [presumedDead(), scheduled(2, 'presumed-dead'), started(2)]],
    ['at its end', [presumedDead(), facts.cancelled()]],
  ])('is fenced when the run is %s: it appends nothing, then and ever after', async (_, meanwhile) => {
    const { segmentLog, written } = await inSegment(meanwhile);
    await expect(segmentLog.record(() => [nearing(1)])).rejects.toThrow(Fenced);
    await expect(segmentLog.record(() => [nearing(2)])).rejects.toThrow(Fenced);
    await expect(segmentLog.glance()).rejects.toThrow(Fenced);
    expect(await written()).toHaveLength(meanwhile.length);
  });
});

describe('G3 an append whose answer is lost', () => {
  it('is repeated until it is written, and then is there once', async () => {
    const { segmentLog, written } = await inSegment('lost', 'unanswered', 'lost', 'unanswered');
    await segmentLog.record(() => [nearing(1), nearing(2)]);
    await segmentLog.record(() => [nearing(3)]);
    expect(await written()).toEqual(['CapNeared', 'CapNeared', 'CapNeared']);
    expect(segmentLog.history.run.last.revision).toBe(5);
  });

  it('is repeated when others were first and the log cannot be read right then', async () => {
    const { segmentLog, written } = await inSegment({ wrote: [message('Hurry.')], unreadable: 2 });
    await segmentLog.record(() => [nearing(1)]);
    expect(await written()).toEqual(['MessageReceived', 'CapNeared']);
  });

  it('is found in the log when others have written since', async () => {
    const { segmentLog, others, written } = await inSegment('unanswered', [message('Hurry.')]);
    await segmentLog.record(() => [nearing(1)]);
    expect(await written()).toEqual(['CapNeared', 'MessageReceived']);
    await segmentLog.record(() => [nearing(2)]);
    await others([message('Still there?')]);
    expect((await segmentLog.glance()).run.unread).toHaveLength(2);
  });

  it('counts when it was written before the segment was presumed dead, and is the last', async () => {
    const { segmentLog, written } = await inSegment('unanswered', [presumedDead()]);
    await segmentLog.record(() => [nearing(1)]);
    await expect(segmentLog.record(() => [nearing(2)])).rejects.toThrow(Fenced);
    expect(await written()).toEqual(['CapNeared', 'RunPresumedDead']);
  });

  it('does not count when the segment was presumed dead before it was written', async () => {
    const { segmentLog, written } = await inSegment('lost', [presumedDead()]);
    await expect(segmentLog.record(() => [nearing(1)])).rejects.toThrow(Fenced);
    expect(await written()).toEqual(['RunPresumedDead']);
  });
});

describe('a glance', () => {
  it('shows what others have recorded, and finds out that the segment is over', async () => {
    const { segmentLog, others } = await inSegment();
    await others([cancelRequested()]);
    expect((await segmentLog.glance()).run.cancel).toMatchObject({ by: 'ann' });
    await others([ended('crashed')]);
    await expect(segmentLog.glance()).rejects.toThrow(Fenced);
  });
});
