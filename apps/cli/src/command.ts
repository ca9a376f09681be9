import type { Command } from 'commander';
import type { Environment } from './config.js';
import type { Output } from './output.js';

/** What every command is given: its settings and where to write. */
export interface CommandContext {
  readonly environment: Environment;
  readonly output: Output;
}

/** Each file under `commands/` exports one of these; `main.ts` lists them. */
export type CommandFactory = (context: CommandContext) => Command;
