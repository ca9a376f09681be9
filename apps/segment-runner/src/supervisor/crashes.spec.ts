import { momentOf, type RunEvent, RunId, streams } from '#contracts';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { newId } from '#platform';
import { aNewEvent, facts } from '#testing';
import { Crashes } from './crashes.js';

const { requested, scheduled, started, message, presumedDead } = facts;
const at = momentOf(facts.BEGIN);

async function crashed(rest: readonly facts.Fact[], knownAt: number | undefined) {
  const log = createMemoryLog();
  const runId = RunId.parse(newId());
  const metadata = { tenant: 't', correlationId: runId, actor: { kind: 'service', id: 't' }, schemaVersion: 1 };
  const made = [requested(), scheduled(), started(), ...rest].map((fact, revision) => fact(at, revision));
  const written = made.map(({ type, data }) => ({ ...aNewEvent(type, data), metadata }));
  await log.append(streams.run(runId), written, 'absent');
  const read: number[] = [];
  const runs = new Runs(watched(log, read), { app: 'segment-runner', id: 'r' });
  const { runnerId, pid } = facts.runner;
  await new Crashes(runs, runnerId).record({ runId, segment: 1, pid, how: 'SIGKILL', knownAt }, at);
  const after: RunEvent[] = [];
  for await (const { event } of runs.events(runId, made.length)) after.push(event);
  return { after, from: read[0] };
}

/** Notes from where a stream is read. */
const watched = (log: EventLog, read: number[]): EventLog =>
  Object.assign(Object.create(log) as EventLog, {
    read: (stream: string, from = 0, max?: number) => {
      read.push(from);
      return log.read(stream, from, max);
    },
  });

const end = { type: 'SegmentEnded', data: { at, segment: 1, reason: 'crashed', detail: 'SIGKILL' } };

describe('the crash of a child', () => {
  it('is recorded behind what the child has said last: the run is not read for it', async () => {
    const { after, from } = await crashed([message('a'), message('b')], 3);
    expect(after).toEqual([end]);
    expect(from).toBe(4);
  });

  it('is recorded when the child had no time to say that it began', async () => {
    expect((await crashed([], undefined)).after).toEqual([end]);
  });

  it.each([2, undefined])('is nothing to a run that has moved on (known at %s)', async (knownAt) => {
    expect((await crashed([presumedDead(1)], knownAt)).after).toEqual([]);
  });
});
