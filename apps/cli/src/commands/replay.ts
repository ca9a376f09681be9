import { once } from 'node:events';
import { stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import type { RunId } from '#contracts';
import { type History, replay } from '#domain';
import type { Gateway } from '../api/gateway.js';
import type { CommandContext, CommandFactory } from '../command.js';
import { Obstacle } from '../errors.js';
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
  const tell = (history: History): void =>
    options.json ? output.json(replayed(history)) : output.say(`${replayInWords(history)}\n`);
  const states = statesOf(gateway, id, options.at);
  const last = options.step ? await walk(states, tell) : await lastOf(states);
  if (last === undefined) throw new Obstacle(`The log of run ${id} is empty.`);
  if (!options.step) tell(last);
}

/** What the run was after each event, up to a revision. */
async function* statesOf(gateway: Gateway, id: RunId, at = Number.POSITIVE_INFINITY): AsyncGenerator<History> {
  let history: History | undefined;
  for await (const event of gateway.events(id)) {
    if (event.revision > at) return;
    history = replay(history, recordedOf(event));
    yield history;
  }
}

async function lastOf(states: AsyncIterable<History>): Promise<History | undefined> {
  let last: History | undefined;
  for await (const state of states) last = state;
  return last;
}

async function walk(states: AsyncIterable<History>, tell: (state: History) => void): Promise<History | undefined> {
  const onward = stepper();
  let last: History | undefined;
  try {
    for await (const state of states) {
      last = state;
      tell(state);
      if (!(await onward.next())) break;
    }
  } finally {
    onward.close();
  }
  return last;
}

/** Waits for Enter on a terminal; elsewhere everything is shown at once. */
function stepper(): { next(): Promise<boolean>; close(): void } {
  if (!stdin.isTTY) return { next: async () => true, close: () => undefined };
  const reader = createInterface({ input: stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the reader, and a closed reader leaves its question open for ever.
  const left = once(reader, 'close').then(() => 'q');
  return {
    next: async () => (await Promise.race([reader.question('Enter goes on, q ends: '), left])).trim() !== 'q',
    close: () => reader.close(),
  };
}
