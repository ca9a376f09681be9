import { Option } from 'commander';
import type { UsageAnswer } from '#contracts';
import type { CommandContext, CommandFactory } from '../command.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

interface Options extends Addressed {
  readonly by?: string;
  readonly since?: string;
}

export const usageCommand: CommandFactory = (context) =>
  addressedCommand('usage')
    .description('lists what agents or tenants have used: runs, turns, tokens, money')
    .addOption(new Option('--by <whom>', 'whose').choices(['agent', 'tenant']).default('agent'))
    .option('--since <day>', 'the first day that counts, e.g. 2026-11-01 (UTC)')
    .action((options: Options) => usage(context, options));

async function usage(context: CommandContext, options: Options): Promise<void> {
  const answer = await gatewayOf(context, options).usage(options.by ?? 'agent', options.since);
  if (options.json) return context.output.json(answer);
  if (answer.rows.length === 0) return context.output.say('Nothing was used.');
  const rows = [...answer.rows, { name: 'total', ...answer.total }].map(rowOf);
  context.output.table([answer.by.toUpperCase(), 'RUNS', 'TURNS', 'IN', 'FROM CACHE', 'OUT', 'US DOLLARS'], rows);
  const { unpricedTokens } = answer.total;
  if (unpricedTokens > 0) {
    context.output.say(
      `Tokens of models whose prices are not known: ${unpricedTokens}. No money counts for them (BATON_PRICES of the segment-runner).`,
    );
  }
}

type Row = UsageAnswer['rows'][number];
const rowOf = (row: Row): readonly string[] => [
  row.name,
  String(row.runs),
  String(row.turns),
  String(row.inputTokens + row.cacheWriteTokens),
  String(row.cacheReadTokens),
  String(row.outputTokens),
  row.dollars.toFixed(4),
];
