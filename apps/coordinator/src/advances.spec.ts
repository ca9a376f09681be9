import { type RunEvent, RunId, SomeCaps } from '#contracts';
import { createMemoryLog, Runs } from '#log';
import { type Clock, newId, silentLogger } from '#platform';
import { runRequested, until } from '#testing';
import { Advances } from './advances.js';

const log = createMemoryLog();
const gateway = new Runs(log, { app: 'gateway', id: 't' });
const coordinator = new Runs(log, { app: 'coordinator', id: 't' });

async function typesOf(runId: RunId): Promise<readonly RunEvent['type'][]> {
  const types: RunEvent['type'][] = [];
  for await (const { event } of coordinator.events(runId)) types.push(event.type);
  return types;
}

describe('the looks at runs', () => {
  it('A4 a segment that nobody takes up is looked at again when the minutes of its run are over', async () => {
    const runId = RunId.parse(newId());
    let now = Date.now();
    const clock: Clock = { now: () => now, monotonic: () => performance.now() };
    const request = runRequested(now);
    const caps = { ...request.data.caps, ...SomeCaps.parse({ runMinutes: 0.005 }) };
    await gateway.request(runId, { ...request, data: { ...request.data, caps } });
    const advances = new Advances(coordinator, clock, silentLogger);
    // The one look that schedules it; no doorbell comes after it.
    await advances.advance(runId);
    expect(await typesOf(runId)).toEqual(['RunRequested', 'SegmentScheduled']);
    now += 1_000;
    await until(async () => (await typesOf(runId)).includes('RunHalted'));
    advances.stop();
  });
});
