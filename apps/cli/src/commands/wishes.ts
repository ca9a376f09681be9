import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { Caps, type Receipt } from '#contracts';
import { attach, several } from '../api/attach.js';
import type { Gateway } from '../api/gateway.js';
import type { CommandContext, CommandFactory } from '../command.js';
import { Obstacle } from '../errors.js';
import { namedRun } from '../runs/named-run.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';
import { DIGEST_WORDS, type Verdict, verdictOn } from './verdict.js';

/*
 * What people wish of a run that is under way. Each is put into the log and answered with its place there; what comes of
 * it is in the run's status.
 */

const RUN = 'its id, the beginning of it, or latest';

const wishCommand = (words: string, description: string): Command =>
  addressedCommand(words).description(description).argument('<run>', RUN);

async function wished(
  context: CommandContext,
  named: string,
  options: Addressed,
  wish: (gateway: Gateway, id: string) => Promise<Receipt>,
): Promise<void> {
  const gateway = gatewayOf(context, options);
  const receipt = await wish(gateway, await namedRun(gateway, named));
  if (options.json) return context.output.json(receipt);
  context.output.say(receiptInWords(receipt));
}

const receiptInWords = ({ id, revision, status, recorded, detail = '' }: Receipt): string =>
  recorded
    ? `The wish is recorded (revision ${revision}); run ${id} is ${status}.`
    : `Nothing was recorded, run ${id} is ${status}. ${detail}`.trim();

interface WithReason extends Addressed {
  readonly reason?: string;
}

export const cancelCommand: CommandFactory = (context) =>
  wishCommand('cancel', 'asks for a run to stop; what was done already stays done')
    .option('--reason <text>', 'why, for those who read the log')
    .action((run: string, options: WithReason) =>
      wished(context, run, options, (gateway, id) =>
        gateway.wish(id, 'cancel', options.reason === undefined ? {} : { reason: options.reason }),
      ),
    );

export const pauseCommand: CommandFactory = (context) =>
  wishCommand('pause', 'lets a run rest after its current step, until it is resumed').action(
    (run: string, options: Addressed) => wished(context, run, options, (gateway, id) => gateway.wish(id, 'pause')),
  );

export const resumeCommand: CommandFactory = (context) =>
  wishCommand('resume', 'lets a paused run go on').action((run: string, options: Addressed) =>
    wished(context, run, options, (gateway, id) => gateway.wish(id, 'resume')),
  );

interface MessageOptions extends Addressed {
  readonly interrupt?: true;
  readonly attach?: readonly string[];
  readonly idempotencyKey?: string;
}

export const messageCommand: CommandFactory = (context) =>
  wishCommand('message', 'tells the model something before its next turn')
    .argument('<text>', 'what to tell it')
    .option('--interrupt', 'give up what it does at the moment')
    .option('--attach <file>', 'an image, PDF or text that comes with it; may be given several times', several)
    .option('--idempotency-key <key>', 'the same key again is the same message')
    .action((run: string, text: string, options: MessageOptions) =>
      wished(context, run, options, async (gateway, id) => {
        const attachments = await attach(gateway, options.attach);
        const json = { text, interrupt: options.interrupt ?? false, attachments };
        return gateway.wish(id, 'messages', json, options.idempotencyKey ?? randomUUID());
      }),
    );

export const answerCommand: CommandFactory = (context) =>
  wishCommand('answer', 'answers a question of the model (ask_human)')
    .argument('<call>', 'the call that asks, as status shows it')
    .argument('<text>', 'the answer')
    .action((run: string, call: string, text: string, options: Addressed) =>
      wished(context, run, options, (gateway, id) =>
        gateway.wish(id, `calls/${encodeURIComponent(call)}/answer`, { text }, randomUUID()),
      ),
    );

type VerdictOptions = Addressed & Verdict;

export const approveCommand: CommandFactory = (context) =>
  wishCommand('approve', 'agrees to a call that waits for it; of a call in doubt: it may be run again')
    .argument('<call>', 'the call, as status shows it')
    .option('--digest <digest>', DIGEST_WORDS)
    .option('--reason <text>', 'why, for those who read the log')
    .action((run: string, call: string, options: VerdictOptions) =>
      wished(context, run, options, (gateway, id) =>
        verdictOn(context.output, gateway, { id, callId: call, verb: 'approve' }, options),
      ),
    );

export const denyCommand: CommandFactory = (context) =>
  wishCommand('deny', 'refuses a call that waits for agreement; of a call in doubt: says what became of it')
    .argument('<call>', 'the call, as status shows it')
    .requiredOption('--reason <text>', 'why; the model is told')
    .option('--digest <digest>', DIGEST_WORDS)
    .option('--decision <what>', 'of a call in doubt: done or not-done', decisionOf)
    .action((run: string, call: string, options: VerdictOptions) =>
      wished(context, run, options, (gateway, id) =>
        verdictOn(context.output, gateway, { id, callId: call, verb: 'deny' }, options),
      ),
    );

function decisionOf(text: string): 'done' | 'not-done' {
  if (text === 'done' || text === 'not-done') return text;
  throw new InvalidArgumentError('It must be done or not-done.');
}

export const raiseCommand: CommandFactory = (context) =>
  wishCommand('raise', 'raises caps of a run; one that a cap has halted goes on')
    .argument('<caps...>', 'e.g. steps=2000 dollars=2000')
    .action((run: string, caps: readonly string[], options: Addressed) =>
      wished(context, run, options, (gateway, id) =>
        gateway.wish(id, 'caps', { caps: Object.fromEntries(caps.map(capOf)) }),
      ),
    );

function capOf(text: string): readonly [string, number] {
  const [name = '', value = ''] = text.split('=');
  if (value.trim() === '' || !Number.isFinite(Number(value)))
    throw new Obstacle(`${JSON.stringify(text)} is no cap with its value: write it like steps=2000.`);
  if (Object.hasOwn(Caps.shape, name)) return [name, Number(value)];
  throw new Obstacle(`There is no cap ${name}; the caps are ${Object.keys(Caps.shape).join(', ')}.`);
}
