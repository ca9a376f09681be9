import { Command, InvalidArgumentError } from 'commander';
import { Gateway } from '../api/gateway.js';
import type { CommandContext } from '../command.js';
import { findTarget } from '../target.js';

/** The options of every command that asks a gateway. */
export interface Addressed {
  readonly data?: string;
  readonly json?: true;
}

/** A command that asks the gateway of the cluster that its options, or the environment, name. */
export const addressedCommand = (words: string): Command =>
  new Command(words)
    .option('--data <dir>', 'the data folder of the cluster (BATON_DATA; BATON_URL and BATON_KEY for a remote one)')
    .option('--json', 'for programs');

export const gatewayOf = ({ environment }: CommandContext, { data }: Addressed): Gateway =>
  new Gateway(findTarget(data, environment));

/** Reads a whole number from 0, for commander. */
export function countOf(text: string): number {
  const count = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(count) && count >= 0) return count;
  throw new InvalidArgumentError('It must be a whole number from 0.');
}
