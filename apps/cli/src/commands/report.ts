import { writeFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Moment } from '#contracts';
import { systemClock } from '#platform';
import { writing } from '../cluster/disk.js';
import type { CommandContext, CommandFactory } from '../command.js';
import { reportPage } from '../report/page.js';
import { sinceFrom } from '../report/since.js';
import { reportInWords } from '../report/words.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

interface Options extends Addressed {
  readonly since: Moment;
  readonly html?: string;
}

export const reportCommand: CommandFactory = (context) => {
  const since = sinceFrom(() => systemClock.now());
  return addressedCommand('report')
    .description('tells what happened: what broke, what was done about it, what it cost, and what needs a person')
    .addOption(
      new Option('--since <time>', 'from when on: 2d, 36h, 1w back from now, or a moment')
        .argParser(since)
        .default(since('3d'), '3d'),
    )
    .option('--html <file>', 'writes it as one HTML page with a timeline, too')
    .action((options: Options) => report(context, options));
};

async function report(context: CommandContext, options: Options): Promise<void> {
  const { html } = options;
  const answer = await gatewayOf(context, options).report(options.since);
  if (html !== undefined) writing(html, () => writeFileSync(html, reportPage(answer)));
  if (options.json) context.output.json(answer);
  else context.output.say(reportInWords(answer));
  if (html !== undefined) context.output.note(`The page is ${html}.`);
}
