import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface MeasuredServer {
  readonly port: number;
  readonly url: string;
  /** From the start of the process until it is ready (ms). */
  readonly startMs: number;
  /** Memory in use as the kernel counts it (MiB); 0 where it does not say. */
  rssMb(): number;
  /** Processor time used so far (ms, in steps of 10); 0 where the kernel does not say. */
  cpuMs(): number;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../../apps/event-store/src/main.js', import.meta.url));
const prepared = fileURLToPath(new URL('./prepared-process.js', import.meta.url));
const TICK_MS = 10;

/** The built server in a process of its own, on this folder. */
export const startServer = (folder: string): Promise<MeasuredServer> =>
  start(main, [], {
    BATON_DATA: folder,
    BATON_PORT: '0',
    BATON_LOG_LEVEL: 'warn',
    BATON_SCAVENGE_HOURS: '0',
  });

/** A server that has its answers ready, and this many events for each subscription. */
export const startPrepared = (events: number): Promise<MeasuredServer> => start(prepared, [String(events)], {});

async function start(file: string, words: string[], env: Readonly<Record<string, string>>): Promise<MeasuredServer> {
  const started = performance.now();
  const child = fork(file, words, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const ready = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!ready) throw new Error(`${file} did not start`);
  const { port } = ready[0] as { port: number };
  const pid = child.pid ?? 0;
  return {
    port,
    url: `esdb://127.0.0.1:${port}?tls=false`,
    startMs: Math.round(performance.now() - started),
    rssMb: () => Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(kernelSays(pid, 'status'))?.[1] ?? 0) / 1024),
    cpuMs: () => {
      const fields = kernelSays(pid, 'stat').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function kernelSays(pid: number, file: 'status' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
