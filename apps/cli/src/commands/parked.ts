import { Command } from 'commander';
import type { ParkedMessage } from '#contracts';
import type { CommandContext, CommandFactory } from '../command.js';
import { type Addressed, addressedCommand, countOf, gatewayOf } from './addressed.js';

/** What nobody could handle is kept on the bus until a person has looked. The runs themselves go on by their log. */
export const parkedCommand: CommandFactory = (context) =>
  new Command('parked')
    .description('the messages on the bus that nobody could handle')
    .addCommand(
      addressedCommand('list')
        .description('lists them, the newest first')
        .action((options: Addressed) => list(context, options)),
      { isDefault: true },
    )
    .addCommand(
      one('show', 'shows one, with why it was parked').action((number: number, options: Addressed) =>
        show(context, number, options),
      ),
    )
    .addCommand(
      one('replay', 'puts one back among the messages, once what was wrong is mended').action(
        async (number: number, options: Addressed) => {
          const message = await gatewayOf(context, options).replayParked(number);
          tell(context, options, message, `Message ${number} is on its way again (${message.subject}).`);
        },
      ),
    )
    .addCommand(
      one('drop', 'forgets one').action(async (number: number, options: Addressed) => {
        await gatewayOf(context, options).dropParked(number);
        tell(context, options, { number, dropped: true }, `Message ${number} is dropped.`);
      }),
    );

const one = (name: string, description: string): Command =>
  addressedCommand(name).description(description).argument('<number>', 'its number, as list shows it', countOf);

async function list(context: CommandContext, options: Addressed): Promise<void> {
  const answer = await gatewayOf(context, options).parked();
  if (options.json) return context.output.json(answer);
  if (answer.total === 0) return context.output.say('No message is parked.');
  context.output.table(['NUMBER', 'SINCE', 'WHY', 'FOR', 'SUBJECT', 'ERROR'], answer.newest.map(rowOf));
  if (answer.total > answer.newest.length) context.output.say(`${answer.total} are parked in all.`);
}

const rowOf = ({ number, at, reason, durable, subject, error }: ParkedMessage): readonly string[] => [
  String(number),
  at,
  reason,
  durable,
  subject,
  error.slice(0, 80),
];

async function show(context: CommandContext, number: number, options: Addressed): Promise<void> {
  const message = await gatewayOf(context, options).parkedMessage(number);
  if (options.json) return context.output.json(message);
  const { body, ...facts } = message;
  for (const [name, value] of Object.entries(facts)) context.output.say(`${name}: ${value}`);
  context.output.say(`body: ${JSON.stringify(body, null, 2)}`);
}

function tell(context: CommandContext, options: Addressed, json: object, words: string): void {
  if (options.json) context.output.json(json);
  else context.output.say(words);
}
