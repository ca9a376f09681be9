import type { CommandContext, CommandFactory } from '../command.js';
import { namedRun } from '../runs/named-run.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

interface Options extends Addressed {
  readonly reason?: string;
}

export const cancelCommand: CommandFactory = (context) =>
  addressedCommand('cancel')
    .description('asks for a run to stop; what was done already stays done')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .option('--reason <text>', 'why, for those who read the log')
    .action((run: string, options: Options) => cancel(context, run, options));

async function cancel(context: CommandContext, named: string, options: Options): Promise<void> {
  const gateway = gatewayOf(context, options);
  const id = await namedRun(gateway, named);
  const receipt = await gateway.cancel(id, options.reason);
  if (options.json) context.output.json(receipt);
  else context.output.say(`The wish is recorded (revision ${receipt.revision}); run ${id} is ${receipt.status}.`);
}
