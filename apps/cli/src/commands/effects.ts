import type { EffectView } from '#contracts';
import type { CommandContext, CommandFactory } from '../command.js';
import { namedRun } from '../runs/named-run.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

export const effectsCommand: CommandFactory = (context) =>
  addressedCommand('effects')
    .description('lists what a run did to the world: each tool call, how it ended, and how that is known')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .action((run: string, options: Addressed) => effects(context, run, options));

async function effects(context: CommandContext, named: string, options: Addressed): Promise<void> {
  const gateway = gatewayOf(context, options);
  const answer = await gateway.effects(await namedRun(gateway, named));
  if (options.json) return context.output.json(answer);
  if (answer.effects.length > 0) {
    context.output.table(['CALL', 'TOOL', 'INPUT', 'STARTED', 'BY', 'ENDED', 'NOTE'], answer.effects.map(rowOf));
  }
  const { executed, repeated, inDoubt, notStarted } = answer.totals;
  context.output.say(
    `${executed} executed, ${repeated} repeated, ${inDoubt} in doubt, ${notStarted} not started; as of revision ${answer.asOf}.`,
  );
}

const INPUT_WIDTH = 50;

const rowOf = (effect: EffectView): readonly string[] => [
  effect.callId,
  effect.tool,
  inOneLine(effect.input),
  effect.startedAt ?? '',
  effect.startedBy === undefined ? '' : `segment ${effect.startedBy}`,
  effect.outcome ?? effect.state,
  notesOf(effect),
];

function inOneLine(input: EffectView['input']): string {
  const text = JSON.stringify(input);
  return text.length <= INPUT_WIDTH ? text : `${text.slice(0, INPUT_WIDTH - 1)}…`;
}

function notesOf({ attempts, collected, doubt, approval, endedBy }: EffectView): string {
  const notes = [
    attempts > 1 ? `run ${attempts} times, under one key` : '',
    collected ? `collected by segment ${endedBy ?? '?'}` : '',
    doubt
      ? `was in doubt: ${doubt.reason}${doubt.settledBy === undefined ? '' : ` (settled by ${doubt.settledBy})`}`
      : '',
    approval ? `${approval.state}${approval.by === undefined ? '' : ` by ${approval.by}`}` : '',
  ];
  return notes.filter((note) => note !== '').join('; ');
}
