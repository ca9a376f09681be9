import { readOptions } from './program-options.js';

const OPTIONS = { seeds: { type: 'string', default: '10' }, json: { type: 'boolean' } } as const;
const USAGE = 'npm run simulate -- [--seeds VALUE] [--json]';

describe('the options of a program', () => {
  it('are read, with their defaults', () => {
    expect(readOptions('simulate', OPTIONS, ['--json'])).toEqual({ values: { seeds: '10', json: true } });
  });

  it('are listed by --help', () => {
    expect(readOptions('simulate', OPTIONS, ['--seeds', '1', '--help'])).toEqual({ words: USAGE, exitCode: 0 });
  });

  it.each([
    [['--sedes', '4'], /^Unknown option '--sedes'\.\n/],
    [['4'], /^Unexpected argument '4'[^.]*\.\n/],
    [['--seeds'], /^Option '--seeds <value>' argument missing\.\n/],
  ])('that are wrong are told in a sentence, with those that there are: %j', (words, sentence) => {
    const told = readOptions('simulate', OPTIONS, words);
    expect(told).toEqual({ words: expect.stringMatching(sentence), exitCode: 2 });
    expect('words' in told && told.words).toContain(USAGE);
  });
});
