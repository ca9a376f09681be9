import { checkHeaders, simulateSpecOf } from './headers-check.js';

const version = { 'anthropic-version': '2026-10-21' };

describe('the headers of a request', () => {
  it('hold a key in either place and a version', () => {
    expect(checkHeaders({ ...version, 'x-api-key': 'k' })).toBe('2026-10-21');
    expect(checkHeaders({ 'anthropic-version': '2023-06-01', authorization: 'Bearer k' })).toBe('2023-06-01');
  });

  it.each([
    [401, 'x-api-key header is required', version],
    [401, 'x-api-key header is required', { ...version, authorization: 'Bearer ' }],
    [400, 'anthropic-version: header is required', { 'x-api-key': 'k' }],
    [400, '"1999" is not a valid version', { 'x-api-key': 'k', 'anthropic-version': '1999' }],
  ])('are refused with %i "%s"', (status, sentence, headers) => {
    expect(() => checkHeaders(headers)).toThrow(
      expect.objectContaining({ status, message: expect.stringContaining(sentence) as string }),
    );
  });
});

describe('what to play', () => {
  it('comes in its header, with defaults', () => {
    expect(simulateSpecOf({ 'baton-simulate': '{"policy":"items"}' })).toEqual({
      policy: 'items',
      command: 'true',
      callsPerItem: 1,
      thinkMs: 0,
    });
  });

  it.each([
    ['header is required', undefined],
    ['is not JSON', '{'],
    ['policy', '{"policy":"chess"}'],
    ['turns', '{"policy":"script"}'],
    ['faults.0.kind', '{"policy":"items","faults":[{"kind":"rain"}]}'],
    ['faults.0.times', '{"policy":"items","faults":[{"kind":"overloaded","times":0}]}'],
    ['callsPerItem', '{"policy":"items","callsPerItem":-1}'],
    ['thinkms', '{"policy":"items","thinkms":1}'],
  ])('is refused with a sentence about it: %s', (sentence, header) => {
    expect(() => simulateSpecOf({ 'baton-simulate': header })).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(sentence) as string }),
    );
  });
});
