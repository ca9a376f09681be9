import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { WebSocket } from 'ws';

/** The variables with which a process can be blocked by `blockLoop`. */
export const BLOCKABLE = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' };

/**
 * Blocks the loop of a process from outside, as a bug in it would: by its debugger's door.
 * @param stderr the process's, or that of the process which it has it from
 */
export async function blockLoop(stderr: Readable, pid: number): Promise<void> {
  const lines = createInterface({ input: stderr });
  process.kill(pid, 'SIGUSR1');
  for await (const line of lines) {
    const url = /Debugger listening on (ws:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const params = { expression: 'setImmediate(() => { for (;;); })' };
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
    await once(socket, 'message');
    return socket.terminate();
  }
}
