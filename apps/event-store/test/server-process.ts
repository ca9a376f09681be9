import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ServerProcess {
  readonly port: number;
  readonly connectionString: string;
  readonly child: ChildProcess;
  /** As a power cut for the process: no handler runs. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const standby = fileURLToPath(new URL('./standby.ts', import.meta.url));
const typescript = new URL('../../../libs/testing/fixtures/typescript.mjs', import.meta.url).href;

/** A real server process on this folder, run from its sources. */
export const startServerProcess = (
  folder: string,
  port = 0,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> => served(run(main, { BATON_DATA: folder, BATON_PORT: String(port), ...environment }));

export interface StandbyProcess {
  start(): Promise<ServerProcess>;
  dismiss(): void;
}

/** A server process that has loaded everything and touches the folder only once it is started. */
export function standbyProcess(folder: string): StandbyProcess {
  const child = run(standby, { BATON_DATA: folder, BATON_PORT: '0' });
  return {
    start: () => {
      child.send('start');
      return served(child);
    },
    dismiss: () => void child.kill('SIGKILL'),
  };
}

const run = (file: string, env: Readonly<Record<string, string>>): ChildProcess =>
  fork(file, {
    execArgv: ['-C', 'baton-src', '--import', typescript],
    env: { BATON_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });

async function served(child: ChildProcess): Promise<ServerProcess> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const exited = once(child, 'exit');
  // Not its exit, which may be told before its last words.
  const silent = once(child, 'close').then(() => undefined);
  const ready = await Promise.race([once(child, 'message'), silent]);
  if (!ready) throw new Error(complaint.trim());
  const { port: bound } = ready[0] as { port: number };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    port: bound,
    connectionString: `esdb://127.0.0.1:${bound}?tls=false`,
    child,
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
  };
}
