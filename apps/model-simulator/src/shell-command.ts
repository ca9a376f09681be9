import type { Item } from './announcement.js';

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** What a command may be made from. */
export interface CommandWords extends Pick<Item, 'id' | 'input'> {
  /** The number of the call among those of its item, from 1. */
  readonly call: number;
  readonly answer: string;
}

/** The command for an item: `{id}`, `{input}`, `{call}` and `{answer}` become what the shell reads as one word each. */
export function commandFor(template: string, { id, input, call, answer }: CommandWords): string {
  const words = {
    '{id}': id,
    '{input}': typeof input === 'string' ? input : JSON.stringify(input),
    '{call}': String(call),
    '{answer}': answer,
  };
  return template.replace(/\{id\}|\{input\}|\{call\}|\{answer\}/g, (name) =>
    shellWord(words[name as keyof typeof words]),
  );
}

const shellWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
