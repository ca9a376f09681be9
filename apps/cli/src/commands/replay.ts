import { stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { type History, replay } from '#domain';
import type { CommandContext, CommandFactory } from '../command.js';
import { Obstacle } from '../errors.js';
import { lineOf } from '../runs/live-line.js';
import { namedRun } from '../runs/named-run.js';
import { recordedOf } from '../runs/recorded.js';
import { replayed, replayInWords } from '../runs/replay-in-words.js';
import { type Addressed, addressedCommand, countOf, gatewayOf } from './addressed.js';

interface Options extends Addressed {
  readonly at?: number;
  readonly step?: true;
}

export const replayCommand: CommandFactory = (context) =>
  addressedCommand('replay')
    .description('shows what a run was at a revision, folded from its log')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .option('--at <rev>', 'the revision; the newest when absent', countOf)
    .option('--step', 'event by event: Enter goes on, q and Enter ends')
    .action((run: string, options: Options) => replayRun(context, run, options));

async function replayRun(context: CommandContext, named: string, options: Options): Promise<void> {
  const { output } = context;
  const gateway = gatewayOf(context, options);
  const id = await namedRun(gateway, named);
  const onward = options.step ? stepper() : undefined;
  let history: History | undefined;
  try {
    for await (const view of gateway.events(id)) {
      if (view.revision > (options.at ?? Number.POSITIVE_INFINITY)) break;
      const recorded = recordedOf(view);
      history = replay(history, recorded);
      if (onward === undefined) continue;
      if (options.json) output.json(replayed(history));
      else output.say(`${view.revision}  ${lineOf(recorded.event) ?? view.type}\n${replayInWords(history)}\n`);
      if (!(await onward.next())) return;
    }
  } finally {
    onward?.close();
  }
  if (history === undefined) throw new Obstacle(`The log of run ${id} is empty.`);
  if (onward === undefined && options.json) output.json(replayed(history));
  else if (onward === undefined) output.say(replayInWords(history));
}

/** Waits for Enter on a terminal; elsewhere everything is shown at once. */
function stepper(): { next(): Promise<boolean>; close(): void } {
  if (!stdin.isTTY) return { next: async () => true, close: () => undefined };
  const reader = createInterface({ input: stdin, output: process.stderr });
  return {
    next: async () => (await reader.question('Enter goes on, q ends: ')).trim() !== 'q',
    close: () => reader.close(),
  };
}
