import type { Recorded, RunEvent } from '#contracts';
import type { CommandContext, CommandFactory } from '../command.js';
import { Obstacle } from '../errors.js';
import { namedRun } from '../runs/named-run.js';
import { recordedOf } from '../runs/recorded.js';
import { verification } from '../runs/verification.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

export const verifyCommand: CommandFactory = (context) =>
  addressedCommand('verify')
    .description('rebuilds every request to the model from the log and compares it with what was sent')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .action((run: string, options: Addressed) => verify(context, run, options));

async function verify(context: CommandContext, named: string, options: Addressed): Promise<void> {
  const gateway = gatewayOf(context, options);
  const id = await namedRun(gateway, named);
  const events: Recorded<RunEvent>[] = [];
  for await (const event of gateway.events(id)) events.push(recordedOf(event));
  const { turns, compactions, differences } = verification(events);
  const requests = turns + compactions;
  if (options.json) context.output.json({ run: id, turns, compactions, differences });
  const [first] = differences;
  if (first !== undefined) {
    throw new Obstacle(
      `${differences.length} of ${requests} requests are not what the log says, the first one at turn ${first.turn} (revision ${first.revision}): the log was changed, or another version of Baton wrote it.`,
    );
  }
  if (!options.json)
    context.output.say(`All ${requests} requests to the model are rebuilt from the log, digest for digest.`);
}
