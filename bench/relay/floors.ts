import { once } from 'node:events';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { EventLog } from '#log';
import { newId } from '#platform';
import { median, round } from '../figures.js';
import type { BenchCluster } from './local-cluster.js';

/** What a step cannot be faster than on this machine, in milliseconds; medians. */
export interface Floors {
  /** One write of 4 KiB to a file and its sync. */
  readonly diskSyncMs: number;
  /** One append of one small event by the log client, alone. */
  readonly appendMs: number;
  /** One turn of the model simulator over HTTP with a conversation of one message, read as plain text. */
  readonly simulatorTurnMs: number;
}

const TIMES = 200;

export async function measureFloors(cluster: BenchCluster): Promise<Floors> {
  return {
    diskSyncMs: round(diskSync()),
    appendMs: round(await append(cluster.log)),
    simulatorTurnMs: round(await simulatorTurn(cluster.ports['model-simulator'])),
  };
}

function diskSync(): number {
  const folder = mkdtempSync(join(tmpdir(), 'baton-floor-'));
  const file = openSync(join(folder, 'file'), 'w');
  const block = Buffer.alloc(4_096, 1);
  const times = Array.from({ length: TIMES }, () => {
    const began = performance.now();
    writeSync(file, block);
    fsyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(times);
}

const append = (log: EventLog): Promise<number> => {
  const stream = `bench-${newId()}`;
  return timed(() => log.append(stream, [{ id: newId(), type: 'Nothing', data: {}, metadata: {} }], 'any'));
};

function simulatorTurn(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const body = JSON.stringify({
    model: 'simulator',
    max_tokens: 8_192,
    stream: true,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Begin.' }] }],
  });
  const headers = {
    'content-type': 'application/json',
    'anthropic-version': '2023-06-01',
    'x-api-key': 'bench',
    'baton-simulate': JSON.stringify({ policy: 'items', thinkMs: 0 }),
  };
  return timed(async () => {
    const asked = request({ agent, port, host: '127.0.0.1', path: '/v1/messages', method: 'POST', headers });
    asked.end(body);
    const [incoming] = (await once(asked, 'response')) as [IncomingMessage];
    await text(incoming);
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let nth = 0; nth < TIMES; nth += 1) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return median(times);
}
