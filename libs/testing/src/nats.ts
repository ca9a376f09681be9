import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A real nats-server with JetStream on this machine, in a folder of its own. */
export interface TestNats {
  readonly url: string;
  /** SIGKILL, and the end of it. */
  kill(): Promise<void>;
  /** The same address and the same data; kills what still runs. */
  restart(): Promise<void>;
  /** Like a restart, but everything that was stored is lost. */
  restartWiped(): Promise<void>;
  /** Removes everything that is stored, and leaves the process as it is. */
  rob(): Promise<void>;
  /** The process stands still (SIGSTOP) until `thaw`: its sockets stay open, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

export interface TestNatsOptions {
  /** Further lines of the server's configuration, e.g. `max_payload: 4096`. */
  readonly config?: string;
  /** The binary; the variable BATON_NATS_SERVER, else `nats-server` on the PATH. */
  readonly binary?: string;
}

export async function startNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const binary = options.binary ?? process.env['BATON_NATS_SERVER'] ?? 'nats-server';
  const folder = await mkdtemp(join(tmpdir(), 'baton-nats-'));
  const config = join(folder, 'nats.conf');
  const storage = join(folder, 'storage');
  await writeFile(config, options.config ?? '');
  const start = (port: number): Promise<Running> =>
    spawned(binary, ['-c', config, '-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', storage]);

  let running = await start(-1);
  const { port } = running;
  const kill = (): Promise<void> => ended(running.child, 'SIGKILL');
  return {
    url: `nats://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill();
      running = await start(port);
    },
    restartWiped: async () => {
      await kill();
      await rm(storage, { recursive: true, force: true });
      running = await start(port);
    },
    rob: () => rm(storage, { recursive: true, maxRetries: 10 }),
    freeze: () => void running.child.kill('SIGSTOP'),
    thaw: () => void running.child.kill('SIGCONT'),
    stop: async () => {
      running.child.kill('SIGCONT');
      await ended(running.child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Resolves when the server says on its error output that it is ready; port -1 lets the system choose. */
async function spawned(binary: string, args: readonly string[]): Promise<Running> {
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const failed = once(child, 'error').then(([error]: unknown[]) => {
    throw new Error(`${binary} cannot be started; install nats-server or set BATON_NATS_SERVER.`, { cause: error });
  });
  return await Promise.race([failed, ready(child)]);
}

async function ready(child: ChildProcess): Promise<Running> {
  if (child.stderr === null) throw new Error('nats-server has no error output.');
  const lines: string[] = [];
  let port: number | undefined;
  return await new Promise<Running>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`nats-server ended with ${code}:\n${lines.join('\n')}`)));
    if (child.stderr === null) return;
    createInterface(child.stderr).on('line', (line) => {
      lines.push(line);
      port ??= portIn(line);
      if (port !== undefined && line.includes('Server is ready')) resolve({ child, port });
    });
  });
}

function portIn(line: string): number | undefined {
  const port = /Listening for client connections on .*:(\d+)$/.exec(line)?.[1];
  return port === undefined ? undefined : Number(port);
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
