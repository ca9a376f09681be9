import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EventMetadata, type Recorded, RunEvent } from '#contracts';
import { requestDigest } from '#platform';
import { historyOf } from '#testing';
import { type History, itemsOf, replay, statusOf, summaryOf, turnRequest } from './index.js';

/* A run as a real cluster has recorded it. It must fold to the same state for ever, and every request be rebuilt. */
const Line = z.object({ revision: z.int(), type: z.string(), data: z.unknown(), metadata: EventMetadata });
const events = readFileSync(new URL('../fixtures/five-items-three-segments.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Recorded<RunEvent> => {
    const { revision, type, data, metadata } = Line.parse(JSON.parse(line));
    return { id: `${revision}`, revision, event: RunEvent.parse({ type, data }), metadata };
  });

describe('a recorded run of five items over three segments', () => {
  it('folds to the state that it had', () => {
    const { run, context } = historyOf(events);
    expect(run).toMatchObject({
      relay: { phase: 'ended', outcome: 'completed', reason: 'All items are settled. The work is done.' },
      settled: { done: 5, failed: 0 },
      segments: 3,
      handoffs: 2,
      deaths: 0,
      openCalls: [],
      last: { revision: 51, type: 'RunCompleted' },
    });
    expect(itemsOf(run).map(({ id, state }) => [id, state])).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((id) => [id, 'done']),
    );
    expect(context.messages.at(-1)?.content).toMatchObject([{ text: 'All items are settled. The work is done.' }]);
    expect(statusOf(run)).toBe('completed');
    expect(summaryOf(run)).toContain('5 of 5 items completed, 0 failed, 0 open.');
  });

  it('has every request rebuilt from the log as it was sent (law 6)', () => {
    let history: History | undefined;
    const rebuilt: [string, string][] = [];
    for (const entry of events) {
      const { event } = entry;
      if (history && event.type === 'ModelTurnCompleted') {
        const { basedOn, requestDigest: sent } = event.data;
        rebuilt.push([requestDigest(turnRequest(history.run, history.context, basedOn)), sent]);
      }
      history = replay(history, entry);
    }
    expect(rebuilt.length).toBeGreaterThan(5);
    expect(rebuilt.map(([digest]) => digest)).toEqual(rebuilt.map(([, sent]) => sent));
  });
});
