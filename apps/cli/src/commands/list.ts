import type { CommandContext, CommandFactory } from '../command.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

export const listCommand: CommandFactory = (context) =>
  addressedCommand('list')
    .description('lists the runs, newest first')
    .action((options: Addressed) => list(context, options));

async function list(context: CommandContext, options: Addressed): Promise<void> {
  const runs = await gatewayOf(context, options).runs();
  if (options.json) return context.output.json(runs);
  if (runs.length === 0) return context.output.say('There are no runs yet: npx baton run AGENT');
  const rows = runs.map(({ id, agent, status, requestedAt, items }) => [
    id,
    `${agent.name}@${agent.version}`,
    status,
    items === undefined ? '' : `${items.done}/${items.total}`,
    requestedAt,
  ]);
  context.output.table(['RUN', 'AGENT', 'STATUS', 'ITEMS', 'REQUESTED'], rows);
}
