import { type RunEvent, RunId } from '#contracts';
import { newId } from '#platform';
import { facts, runRequested } from '#testing';
import type { StoredEvent } from './event-log.js';
import { HeardRuns } from './heard-runs.js';

const run = RunId.parse(newId());
const metadata = { tenant: 'default', correlationId: run, actor: { kind: 'service', id: 't' }, schemaVersion: 1 };
const request = runRequested(0);

const stored = ({ type, data }: RunEvent, revision: number): StoredEvent => ({
  id: newId(),
  stream: `run-${run}`,
  revision,
  position: String(revision),
  created: 0,
  type,
  // As from the wire: no two events share anything.
  data: structuredClone(data),
  metadata,
});

describe('the runs that are known by hearing', () => {
  it('H1 are those of which every event was heard, each once however often it came', () => {
    const heard = new HeardRuns();
    heard.take(run, stored(request, 0), true);
    heard.take(run, stored(request, 0), true);
    heard.take(run, stored(facts.scheduled(1)(request.data.at, 1), 1), true);
    expect(heard.run(run)).toMatchObject({ relay: { phase: 'scheduled', segment: 1 }, last: { revision: 1 } });
  });

  it('H1 are forgotten after a gap, with their end, and when the beginning was missed', () => {
    const heard = new HeardRuns();
    heard.take(run, stored(request, 0), true);
    heard.take(run, stored(facts.scheduled(1)(request.data.at, 1), 2), true);
    heard.take(run, stored(facts.started(1)(request.data.at, 1), 3), true);
    expect(heard.run(run)).toBeUndefined();
    heard.take(run, stored(request, 0), true);
    heard.take(run, stored(facts.scheduled(1)(request.data.at, 1), 1), false);
    expect(heard.run(run)).toBeUndefined();
    heard.take(run, stored(facts.scheduled(1)(request.data.at, 1), 1), true);
    expect(heard.run(run)).toBeUndefined();
  });

  it('H3 are no more than there is room for, and make room when they are forgotten', () => {
    const text = JSON.stringify(request.data).length;
    const heard = new HeardRuns(text + 2_500);
    const runs = Array.from({ length: 4 }, () => RunId.parse(newId()));
    const known = () => runs.map((id) => heard.run(id) !== undefined);
    for (const id of runs) heard.take(id, stored(request, 0), true);
    const [first, second, third, fourth] = known();
    expect([first, third, fourth]).toEqual([true, false, false]);
    const [one] = runs;
    if (!one) throw new Error('There are four.');
    heard.take(one, stored(facts.scheduled(1)(request.data.at, 1), 1), false);
    heard.take(runs[3] ?? one, stored(request, 0), true);
    expect(known()).toEqual([false, second, false, true]);
  });

  it('share the agent that they have in common', () => {
    const heard = new HeardRuns(JSON.stringify(request.data).length + 20 * 2_000);
    const runs = Array.from({ length: 20 }, () => RunId.parse(newId()));
    for (const id of runs) heard.take(id, stored(request, 0), true);
    expect(runs.filter((id) => heard.run(id) === undefined)).toEqual([]);
  });
});
