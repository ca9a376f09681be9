import { Command, CommanderError } from 'commander';
import { batonVersion } from '#platform';
import type { CommandContext, CommandFactory } from './command.js';
import { AlreadyTold } from './errors.js';

const USAGE = 2;

/** Puts the commands together and runs the one that the words ask for; answers the exit code. */
export async function runProgram(
  factories: readonly CommandFactory[],
  context: CommandContext,
  words: readonly string[],
): Promise<number> {
  const program = new Command('baton')
    .description('Runs AI agents for hours as a relay of short-lived, killable processes over an event log.')
    .version(batonVersion())
    // Without it `--version` of `agents get` would be taken for the program's own.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => context.output.say(text.trimEnd()),
      writeErr: (text) => context.output.note(text.trimEnd()),
    })
    .exitOverride()
    .showHelpAfterError('(baton help shows what there is)');
  for (const factory of factories) program.addCommand(likeParent(factory(context), program));
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof AlreadyTold) return error.exitCode;
    context.output.fail(error);
    return 1;
  }
}

/** Settings such as `exitOverride` reach only commands that are made by their parent: ours are made before. */
function likeParent(command: Command, parent: Command): Command {
  for (const inner of command.copyInheritedSettings(parent).commands) likeParent(inner, command);
  return command;
}
