import { parseAgentFile } from './read-agent-file.js';

const GOOD = `name: profiler
model: { name: simulator }
instructions: Profile.
tools:
  - bash
  - complete_item
simulate: { policy: items }
caps:
  segmentSeconds: 30
`;
const SIMULATE = 'simulate: { policy: items }\n';

describe('reading an agent file', () => {
  it('fills in what is left out', () => {
    expect(parseAgentFile(GOOD, 'agent.yaml')).toMatchObject({
      name: 'profiler',
      caps: { segmentSeconds: 30, segments: 200 },
      workspace: { network: false },
    });
  });

  it('reads JSON', () => {
    const json = JSON.stringify({ name: 'a', model: { name: 'claude' }, instructions: 'x' }, null, 2);
    expect(parseAgentFile(json, 'agent.json').name).toBe('a');
  });

  it.each([
    [GOOD.replace('segmentSeconds: 30', 'segmentSeconds: long'), /^agent\.yaml:9: caps\.segmentSeconds: /],
    [GOOD.replace('segmentSeconds', 'segmentSecond'), /^agent\.yaml:9: caps\.segmentSecond: there is no such field/],
    [GOOD.replace('- complete_item', '- fly'), /^agent\.yaml:6: tools\.1: /],
    [GOOD.replace('{ name: simulator }', '{}'), /^agent\.yaml:2: model\.name: /],
    [GOOD.replace('instructions: Profile.\n', ''), /^agent\.yaml:1: instructions: it is missing/],
    [GOOD.replace(SIMULATE, ''), /^agent\.yaml:1: simulate: say what the simulator plays/],
    [
      `${GOOD}  reserveSeconds: 30\n`,
      /^agent\.yaml:10: caps\.reserveSeconds: it must be less than caps\.segmentSeconds$/,
    ],
    ['', /^agent\.yaml is empty/],
    [GOOD.replace('model:', 'name: other\nmodel:'), /^agent\.yaml:2: this is not YAML/],
  ])('names the field and the line of a fault', (text, sentence) => {
    expect(() => parseAgentFile(text, 'agent.yaml')).toThrow(sentence);
  });
});
