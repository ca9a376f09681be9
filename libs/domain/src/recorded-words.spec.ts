import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EventMetadata, type Recorded, RunEvent } from '#contracts';
import { requestDigest } from '#platform';
import { compactionRequest, type History, replay, turnRequest } from './index.js';

/*
 * A run with the words of version 3 as a real cluster has recorded it: a server that died, a message, a command in the
 * background, a failed item, a cap that was near, compactions, handoffs. Whatever Baton says to models later, what it said
 * to this one must be rebuilt for ever: other words need another version.
 */
const Line = z.object({ revision: z.int(), type: z.string(), data: z.unknown(), metadata: EventMetadata });
const events = readFileSync(new URL('../fixtures/words-3.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Recorded<RunEvent> => {
    const { revision, type, data, metadata } = Line.parse(JSON.parse(line));
    return { id: `${revision}`, revision, event: RunEvent.parse({ type, data }), metadata };
  });
const histories: History[] = [];
for (const entry of events) histories.push(replay(histories.at(-1), entry));

/** The request in an event, rebuilt from what it was built from, beside what was sent. */
function rebuilt({ event }: Recorded<RunEvent>): readonly (readonly [string, string])[] {
  const { data, type } = event;
  const at = 'basedOn' in data ? histories[data.basedOn] : undefined;
  if (!at || !('basedOn' in data) || data.requestDigest === undefined) return [];
  const request = type === 'ContextCompacted' ? compactionRequest : turnRequest;
  return [[requestDigest(request(at.run, at.context, data.basedOn)), data.requestDigest]];
}

describe('a recorded run with the words of version 3', () => {
  it('has every request rebuilt from the log as it was sent (law 6)', () => {
    const pairs = events.flatMap(rebuilt);
    expect(pairs.length).toBeGreaterThan(13);
    expect(pairs.map(([digest]) => digest)).toEqual(pairs.map(([, sent]) => sent));
  });

  it.each([
    'What people have told you since',
    'Commands that you have started in the background',
    'Failed: a.',
    'was started again',
    "% of the run's limit",
  ])('has told the model: %s', (words) => {
    const shown = histories.map(({ context }) => JSON.stringify([context.messages, context.notes]));
    expect(histories[0]?.run.words).toBe(3);
    expect(shown.some((text) => text.includes(words))).toBe(true);
  });

  it('folds to the end that it had', () => {
    expect(histories.at(-1)?.run).toMatchObject({
      relay: { phase: 'ended', outcome: 'completed' },
      settled: { done: 1, failed: 1 },
      openCalls: [],
    });
  });
});
