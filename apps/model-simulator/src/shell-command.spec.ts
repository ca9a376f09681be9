import { execFileSync } from 'node:child_process';
import { commandFor } from './shell-command.js';

const words = { id: '7', call: 1, answer: 'yes' };

describe('the command for an item', () => {
  it.each([
    ['a plain word', 'a-b_c@d%e+f=g:h,i./j', 'a-b_c@d%e+f=g:h,i./j'],
    ['a text with spaces', 'a b', "'a b'"],
    ['a text with quotes', "it's", "'it'\\''s'"],
    ['no text at all', '', "''"],
    ['a number', 7, '7'],
    ['an object', { a: [1] }, '\'{"a":[1]}\''],
    ['nothing', null, 'null'],
    ['a pattern of replacement', '$&', "'$&'"],
    ['the name of the other place', '{id}', "'{id}'"],
  ])('puts in %s', (_, input, word) => {
    expect(commandFor('do {id} {input} {other}', { ...words, input })).toBe(`do 7 ${word} {other}`);
  });

  it('reaches the program as it was, whatever is in it', () => {
    const input = 'a\nb $(exit 3) `x` "q" \'s\' \\ !;&|<>*?~#ö';
    expect(execFileSync('bash', ['-c', commandFor('printf %s {input}', { ...words, input })]).toString()).toBe(input);
  });
});
