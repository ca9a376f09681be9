import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A TypeScript source that runs as a process of its own, so that a test can kill it. */
export interface SourceProgram {
  readonly child: ChildProcess;
  /** What it has written to its standard output, line by line. */
  readonly lines: readonly string[];
  /** Resolves when it has ended, by itself or not, and all that it has written is in `lines`. */
  readonly ended: Promise<void>;
  /** SIGKILL, and the end of it. */
  kill(): Promise<void>;
}

/** @param source an absolute `file:` URL. Standard error goes to the test's own. */
export function startSource(source: URL, args: readonly string[] = []): SourceProgram {
  const hooks = new URL('../fixtures/typescript.mjs', import.meta.url);
  const options = ['-C', 'baton-src', '--import', hooks.href, source.pathname];
  const child = spawn(process.execPath, [...options, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(() => undefined);
  return {
    child,
    lines,
    ended,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
