import type { CommandContext, CommandFactory } from '../command.js';
import { namedRun } from '../runs/named-run.js';
import { watchRun } from '../runs/watch-run.js';
import { type Addressed, addressedCommand, countOf, gatewayOf } from './addressed.js';

interface Options extends Addressed {
  readonly from: number;
}

export const watchCommand: CommandFactory = (context) =>
  addressedCommand('watch')
    .description('shows a run live; Ctrl-C leaves it alone')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .option('--from <rev>', 'the first revision to show', countOf, 0)
    .action((run: string, options: Options) => watch(context, run, options));

async function watch(context: CommandContext, named: string, options: Options): Promise<void> {
  const gateway = gatewayOf(context, options);
  const json = options.json === true;
  await watchRun(gateway, await namedRun(gateway, named), { from: options.from, json, output: context.output });
}
