import type { CommandContext, CommandFactory } from '../command.js';
import { namedRun } from '../runs/named-run.js';
import { inWords } from '../runs/run-in-words.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

export const statusCommand: CommandFactory = (context) =>
  addressedCommand('status')
    .description('says what a run does now, and what that rests on')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .action((run: string, options: Addressed) => status(context, run, options));

async function status(context: CommandContext, named: string, options: Addressed): Promise<void> {
  const gateway = gatewayOf(context, options);
  const view = await gateway.run(await namedRun(gateway, named));
  if (options.json) context.output.json(view);
  else context.output.say(inWords(view));
}
