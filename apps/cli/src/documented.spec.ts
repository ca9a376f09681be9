import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { AgentSpec, Caps, ModelSpec, WorkspaceSpec } from '#contracts';
import { root } from './cluster/checkout.js';
import { COMMANDS } from './commands/all.js';
import { Output } from './output.js';

const context = { environment: { BATON_DATA: '.baton', BATON_PORT: 4700 }, output: new Output() };
const program = new Command('baton');
for (const factory of COMMANDS) program.addCommand(factory(context));

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const docs = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const page = read('docs/cli.md');

/** The command that the words begin with, and what is left of them. */
function commandOf(words: readonly string[], parent = program): { command: Command; rest: readonly string[] } {
  const inner = parent.commands.find((command) => command.name() === words[0]);
  return inner ? commandOf(words.slice(1), inner) : { command: parent, rest: words };
}
const optionsOf = (command: Command): readonly string[] => {
  const outer = command.parent && command.parent !== program ? optionsOf(command.parent) : [];
  return [...command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? ''), ...outer, '--help'];
};
const flagsIn = (words: readonly string[]): readonly string[] =>
  words.flatMap((word) => /^\[?(--[a-z-]+)/.exec(word)?.[1] ?? []);
const leaves = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
const pathOf = (command: Command): string =>
  command.parent === program || command.parent === null
    ? command.name()
    : `${pathOf(command.parent)} ${command.name()}`;

/** What the first column of the table says of each command. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => line.split(/(?<!\\)\|/)[1]?.match(/`[^`]+`/g) ?? [])
  .map((code) => code.slice(1, -1).split(' '));

describe('what the documentation says of the commands', () => {
  it.each(docs)('is true in %s: every command and option that it types is there', (file) => {
    const typed = read(file).match(/(?:npx baton|bin\/baton\.mjs) [^`\n#|;&>]+/g) ?? [];
    for (const line of typed) {
      const words = line
        .replace(/^\S+ baton |^\S+mjs /, '')
        .trim()
        .split(/\s+/);
      const { command, rest } = commandOf(words);
      expect([line, command === program]).toEqual([line, words[0] === 'COMMAND']);
      for (const flag of flagsIn(rest))
        expect([line, optionsOf(command)]).toEqual([line, expect.arrayContaining([flag])]);
    }
  });

  it('has every option of every command in the table of docs/cli.md, and no other', () => {
    const everywhere = ['--data', '--json', '--help'];
    const elsewhere = new Set(['event-store']);
    for (const command of program.commands.filter((one) => !elsewhere.has(one.name())).flatMap(leaves)) {
      const told = rows.filter((words) => commandOf(words).command === command);
      expect([pathOf(command), told.length > 0]).toEqual([pathOf(command), true]);
      const has = optionsOf(command).filter((option) => !everywhere.includes(option));
      const says = told.flatMap(flagsIn).filter((option) => !everywhere.includes(option));
      expect([pathOf(command), says.toSorted()]).toEqual([pathOf(command), has.toSorted()]);
    }
  });

  it.each([
    ['docs/cli.md', Object.keys(AgentSpec.shape)],
    ['docs/cli.md', Object.keys(WorkspaceSpec.shape)],
    ['docs/models.md', Object.keys(ModelSpec.shape)],
    ['docs/caps.md', Object.keys(Caps.shape)],
  ])('names in %s every field of an agent file that it is about', (file, fields) => {
    const told = read(file);
    for (const field of fields) expect(told).toMatch(new RegExp(`\\b${field}\`|\`${field}\\b`));
  });

  it('has every option of the event store in docs/event-store.md', () => {
    const told = read('docs/event-store.md');
    const { command } = commandOf(['event-store']);
    for (const option of optionsOf(command).filter((one) => one !== '--help')) expect(told).toContain(`\`${option}`);
  });
});
