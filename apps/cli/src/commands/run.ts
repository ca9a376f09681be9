import { existsSync } from 'node:fs';
import { AgentName } from '#contracts';
import { count } from '#domain';
import { newId } from '#platform';
import { applyAgent } from '../agent-file/apply-agent.js';
import { attach, several } from '../api/attach.js';
import type { Gateway } from '../api/gateway.js';
import type { CommandContext, CommandFactory } from '../command.js';
import { Obstacle } from '../errors.js';
import { watchRun } from '../runs/watch-run.js';
import { readItems } from '../work-items/read-items.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

interface Options extends Addressed {
  readonly items?: string;
  readonly input?: string;
  readonly attach?: readonly string[];
  readonly stayOpen?: true;
  readonly watch?: true;
  readonly idempotencyKey?: string;
}

export const runCommand: CommandFactory = (context) =>
  addressedCommand('run')
    .description('starts a run')
    .argument('<agent>', 'the name of an agent, or an agent file, which is applied first')
    .option('--items <file>', 'work items: .json, .jsonl or .csv')
    .option('--input <text>', 'what the agent is told at the beginning')
    .option('--attach <file>', 'an image, PDF or text that comes with the input; may be given several times', several)
    .option('--stay-open', 'wait for messages when the work is done, instead of completing')
    .option('--watch', 'show it live; Ctrl-C leaves the run alone')
    .option('--idempotency-key <key>', 'the same key with the same request starts one run')
    .action((agent: string, options: Options) => run(context, agent, options));

async function run(context: CommandContext, named: string, options: Options): Promise<void> {
  const gateway = gatewayOf(context, options);
  // Read before anything is stored: a wrong items file should change nothing.
  const items = options.items === undefined ? [] : readItems(options.items);
  const agent = await agentOf(gateway, named);
  const input = options.input === undefined ? {} : { input: options.input };
  const attachments = [...(await attach(gateway, options.attach))];
  const wish = { ...agent, items: [...items], ...input, attachments, stayOpen: options.stayOpen ?? false };
  const { id, isNew } = await gateway.start(wish, options.idempotencyKey ?? newId());
  if (options.watch) return watchRun(gateway, id, { from: 0, json: options.json === true, output: context.output });
  if (options.json) return context.output.json(await gateway.run(id));
  const amount = items.length === 0 ? '' : `, with ${count(items.length, 'item')}`;
  context.output.say(
    isNew
      ? `Run ${id} of ${agent.agent} is requested${amount}.`
      : `Run ${id} of ${agent.agent} was started before with this key${amount}; no other run is started.`,
  );
  context.output.say(`See it with: npx baton watch ${id}`);
}

/** An agent file is applied; the run is then pinned to what it said. */
async function agentOf(gateway: Gateway, named: string): Promise<{ agent: AgentName; version?: number }> {
  if (/\.(ya?ml|json)$/i.test(named) || named.includes('/')) {
    const { name, version } = await applyAgent(gateway, named);
    return { agent: name, version };
  }
  const name = AgentName.safeParse(named);
  if (name.success) return { agent: name.data };
  const file = existsSync(named) ? ` There is a file of that name: write ./${named}.` : '';
  throw new Obstacle(`${named} is no agent's name: ${name.error.issues[0]?.message}.${file}`);
}
