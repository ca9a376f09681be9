import type { CommandContext, CommandFactory } from '../command.js';
import { examineAll } from '../doctor/examine.js';
import { examinationInWords } from '../doctor/words.js';
import { AlreadyTold } from '../errors.js';
import { dataFolder } from '../target.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

export const doctorCommand: CommandFactory = (context) =>
  addressedCommand('doctor')
    .description(
      'examines a deployment: every answer is measured, green or red, with the way out; exit code 1 when red',
    )
    .action((options: Addressed) => doctor(context, options));

async function doctor(context: CommandContext, options: Addressed): Promise<void> {
  const { environment, output } = context;
  const isRemote = options.data === undefined && environment.BATON_URL !== undefined;
  const folder = isRemote ? undefined : dataFolder(options.data, environment);
  const examination = await examineAll(gatewayOf(context, options), folder);
  if (options.json) output.json(examination);
  else output.say(examinationInWords(examination));
  if (examination.verdict === 'red') throw new AlreadyTold(1);
}
