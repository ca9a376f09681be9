import { facts, recorded } from '#testing';
import { scriptOf } from './script-of.js';

const { requested, scheduled, started, turn, turnFailed, bash, text } = facts;

describe('the script of a recorded run', () => {
  it('says and calls for what its turns did, and leaves out the turns that failed', () => {
    const events = recorded([
      requested(),
      scheduled(1),
      started(1),
      turnFailed(),
      turn([text('I begin.'), text(' '), bash('true', 't1')]),
      turn([text('Done.')], { turn: 2 }),
    ]);
    expect(scriptOf(events)).toMatchObject({
      policy: 'script',
      turns: [
        { texts: ['I begin.'], calls: [{ tool: 'bash', input: { command: 'true' } }], stopReason: 'tool_use' },
        { texts: ['Done.'], calls: [], stopReason: 'end_turn' },
      ],
    });
  });

  it('is refused of a run without turns', () => {
    expect(() => scriptOf(recorded([requested()]))).toThrow(/no turn of a model/);
  });
});
