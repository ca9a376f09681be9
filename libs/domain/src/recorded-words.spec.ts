import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EventMetadata, type Recorded, RunEvent } from '#contracts';
import { requestDigest } from '#platform';
import { compactionRequest, type History, replay, turnRequest } from './index.js';

/*
 * Runs with earlier and present words as real clusters of their time have recorded them: a message, a command in the
 * background, a failed item, compactions, handoffs; since version 3 also a server that died and a cap that was near, in
 * version 4 before a compaction. Whatever Baton says to models later, what it said to these must be rebuilt for ever: other
 * words need another version.
 */
const Line = z.object({ revision: z.int(), type: z.string(), data: z.unknown(), metadata: EventMetadata });
const recorded = (words: number): readonly Recorded<RunEvent>[] =>
  readFileSync(new URL(`../fixtures/words-${words}.ndjson`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { revision, type, data, metadata } = Line.parse(JSON.parse(line));
      return { id: `${revision}`, revision, event: RunEvent.parse({ type, data }), metadata };
    });

const SINCE_2 = ['What people have told you since', 'Failed: a.'];
const SINCE_3 = 'Commands that you have started in the background';
const NEWS = ['was started again', "% of the run's limit"];
const cases = [
  { words: 2, said: SINCE_2, unsaid: [SINCE_3] },
  { words: 3, said: [...SINCE_2, SINCE_3, ...NEWS], unsaid: [] },
  { words: 4, said: [...SINCE_2, SINCE_3, ...NEWS], unsaid: [] },
];

describe.each(cases)('a recorded run with the words of version $words', ({ words, said, unsaid }) => {
  const events = recorded(words);
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

  it('has every request rebuilt from the log as it was sent (law 6)', () => {
    const pairs = events.flatMap(rebuilt);
    expect(pairs.length).toBeGreaterThan(11);
    expect(pairs.map(([digest]) => digest)).toEqual(pairs.map(([, sent]) => sent));
  });

  it('has told the model what this version says, and nothing that only later ones say', () => {
    const shown = histories.map(({ context }) => JSON.stringify([context.messages, context.notes])).join('');
    expect(histories[0]?.run.words).toBe(words);
    expect(said.filter((sentence) => !shown.includes(sentence))).toEqual([]);
    expect(unsaid.filter((sentence) => shown.includes(sentence))).toEqual([]);
  });

  it('folds to the end that it had', () => {
    expect(histories.at(-1)?.run).toMatchObject({
      relay: { phase: 'ended', outcome: 'completed' },
      settled: { done: 1, failed: 1 },
      openCalls: [],
    });
  });
});
