import { Command } from 'commander';
import type { AgentVersion } from '#contracts';
import { count } from '#domain';
import { applyAgent } from '../agent-file/apply-agent.js';
import type { CommandContext, CommandFactory } from '../command.js';
import { type Addressed, addressedCommand, countOf, gatewayOf } from './addressed.js';

export const agentsCommand: CommandFactory = (context) =>
  new Command('agents')
    .description('stores and shows agents')
    .addCommand(
      addressedCommand('apply')
        .description('stores an agent file as an immutable version')
        .argument('<file>', 'YAML or JSON')
        .action((file: string, options: Addressed) => apply(context, file, options)),
    )
    .addCommand(
      addressedCommand('list')
        .description('lists the agents')
        .action((options: Addressed) => list(context, options)),
    )
    .addCommand(
      addressedCommand('get')
        .description('shows an agent')
        .argument('<name>')
        .option('--version <n>', 'a version other than the newest', countOf)
        .action((name: string, options: Addressed & { version?: number }) => get(context, name, options)),
    );

async function apply(context: CommandContext, file: string, options: Addressed): Promise<void> {
  const agent = await applyAgent(gatewayOf(context, options), file);
  if (options.json) return context.output.json(agent);
  context.output.say(`${agent.name} is stored as version ${agent.version}. Try: npx baton run ${agent.name}`);
}

async function list(context: CommandContext, options: Addressed): Promise<void> {
  const agents = await gatewayOf(context, options).agents();
  if (options.json) return context.output.json(agents);
  if (agents.length === 0) return context.output.say('There are no agents yet: npx baton agents apply FILE');
  const rows = agents.map((agent) => [agent.name, String(agent.version), agent.model, agent.appliedAt]);
  context.output.table(['NAME', 'VERSION', 'MODEL', 'APPLIED'], rows);
}

async function get(context: CommandContext, name: string, options: Addressed & { version?: number }): Promise<void> {
  const agent = await gatewayOf(context, options).agent(name, options.version);
  if (options.json) return context.output.json(agent);
  context.output.say(inWords(agent));
}

function inWords({ name, version, digest, spec, files }: AgentVersion): string {
  const tools = [
    ...spec.tools,
    ...spec.http.map((tool) => tool.name),
    ...Object.keys(spec.mcp).map((mcp) => `${mcp}__*`),
  ];
  const caps = Object.entries(spec.caps).map(([cap, limit]) => `${cap} ${limit}`);
  return [
    `${name}, version ${version} (${digest.slice(0, 12)})`,
    `  model         ${spec.model.name}`,
    `  instructions  ${spec.instructions.trim().replaceAll('\n', '\n                ')}`,
    `  tools         ${tools.join(', ')}`,
    `  workspace     ${spec.workspace.memoryMb} MB, ${spec.workspace.processes} processes, ${spec.workspace.network ? 'with' : 'no'} network, ${count(files.length, 'file')}`,
    `  caps          ${caps.join(', ')}`,
  ].join('\n');
}
