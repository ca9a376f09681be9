import { fork } from 'node:child_process';
import { once } from 'node:events';
import { builtApp } from '../../cluster/checkout.js';
import { AlreadyTold } from '../../errors.js';

/** Runs a tool of the event store in this terminal. @throws AlreadyTold when it fails */
export async function runTool(words: readonly string[]): Promise<void> {
  const child = fork(builtApp('event-store', 'tool-main'), [...words], { execArgv: [], stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new AlreadyTold(code ?? 1);
}
