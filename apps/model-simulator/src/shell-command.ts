import type { Item } from './announcement.js';

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** The command for an item: `{id}` and `{input}` are replaced by what the shell reads as one word each. */
export function commandFor(template: string, { id, input }: Pick<Item, 'id' | 'input'>): string {
  const words = { '{id}': id, '{input}': typeof input === 'string' ? input : JSON.stringify(input) };
  return template.replace(/\{id\}|\{input\}/g, (name) => shellWord(words[name as keyof typeof words]));
}

const shellWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
