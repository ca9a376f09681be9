import { RunView } from '#contracts';
import { inWords } from './run-in-words.js';

const view = (change: object): RunView =>
  RunView.parse({
    id: '0198a6a2-0000-7000-8000-000000000000',
    agent: { name: 'profiler', version: 2 },
    status: 'working',
    requestedAt: '2026-01-05T07:59:00.000Z',
    summary: 'bash: wc -l a.csv',
    asOf: { revision: 7, type: 'ToolCallStarted', at: '2026-01-05T08:00:00.000Z' },
    items: { total: 0, done: 0, failed: 0 },
    handoffs: 1,
    restarts: 0,
    openCalls: [],
    caps: {},
    ...change,
  });

describe('a run in words', () => {
  it('has no line for what there is nothing to say about', () => {
    const lines = inWords(view({})).split('\n');
    expect(lines.map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      'Run 0198a6a2-0000-7000-8000-000000000000',
      'status',
      'now',
      'as of',
      'agent',
      'relay',
    ]);
  });

  it.each([
    ['unknown', { verdict: 'unknown' }],
    ['alive, the last one 400 ms ago', { verdict: 'alive', ageMs: 400 }],
    [
      'slow, the last one 400 ms ago, its processor was with others for 4.0 s',
      { verdict: 'slow', ageMs: 400, heldUpMs: 4_000 },
    ],
  ])('says of its heartbeat: %s', (words, heartbeat) => {
    expect(inWords(view({ heartbeat }))).toContain(`heartbeat ${words}\n`);
  });
});
