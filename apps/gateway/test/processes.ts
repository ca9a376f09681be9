import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A service that runs from its source as a process of its own. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  /** SIGKILL, and the end of it. */
  kill(): Promise<void>;
  /** SIGTERM; answers with the exit code. */
  stop(): Promise<number | null>;
}

const HOOKS = new URL('../../../libs/testing/fixtures/typescript.mjs', import.meta.url).href;

/** Waits for the line that says that it is ready. */
export async function startService(app: string, env: Record<string, string>): Promise<ServiceProcess> {
  const source = new URL(`../../${app}/src/main.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, ['-C', 'baton-src', '--import', HOOKS, source], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${app} ended with ${code} before it was ready`)));
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('is ready')) resolve();
    });
  });
  const endBy = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  };
  return {
    child,
    kill: async () => {
      await endBy('SIGKILL');
    },
    stop: () => endBy('SIGTERM'),
  };
}
