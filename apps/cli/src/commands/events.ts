import type { CommandContext, CommandFactory } from '../command.js';
import { namedRun } from '../runs/named-run.js';
import { type Addressed, addressedCommand, countOf, gatewayOf } from './addressed.js';

interface Options extends Addressed {
  readonly from: number;
}

export const eventsCommand: CommandFactory = (context) =>
  addressedCommand('events')
    .description('prints what the log holds of a run, an event a line (NDJSON)')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .option('--from <rev>', 'the first revision', countOf, 0)
    .action((run: string, options: Options) => events(context, run, options));

async function events(context: CommandContext, named: string, options: Options): Promise<void> {
  const gateway = gatewayOf(context, options);
  const id = await namedRun(gateway, named);
  for await (const { revision, type, data, metadata } of gateway.events(id, options.from)) {
    context.output.json({ revision, type, data, metadata });
  }
}
