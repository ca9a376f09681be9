import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentSpec, type GatewayRunEvent, momentOf, RunId, streams } from '#contracts';
import { createMemoryLog, type EventLog, Runs, type StoredEvent } from '#log';
import { newId, silentLogger, systemClock } from '#platform';
import type { SegmentRunnerConfig } from '../config.js';
import { createModel } from '../model/create-model.js';
import { Child } from './child.js';

const ITEMS = ['a', 'b', 'c'];

/**
 * Plays one segment of a run that nobody has asked for, on a log in memory, with a model that reads from a script, and
 * forgets it: the code of a step is compiled, and its validators are made, before a run waits for it. A run whose process
 * was killed goes on in one that has never worked.
 * @param signal hands the segment off at once
 * @returns the last event of that run
 */
export async function rehearse(config: SegmentRunnerConfig, signal: AbortSignal): Promise<StoredEvent | undefined> {
  const model = await scriptedModel();
  try {
    const { port } = model.address() as AddressInfo;
    const runId = RunId.parse(newId());
    const log = createMemoryLog(() => systemClock.now());
    await request(log, runId);
    const child = new Child({
      config: { ...config, BATON_MODEL_URL: `http://127.0.0.1:${port}` },
      logger: silentLogger,
      bus: NOBODY,
      log,
      prices: { source: '', readOn: '', usdPerMillionTokens: {} },
      pulse: { ready: Promise.resolve(), begin: ignore, doing: ignore, recorded: ignore, end: ignore },
      createModel,
      mark: undefined,
      tell: ignore,
    });
    const drain = (): void => child.drain();
    if (signal.aborted) drain();
    else signal.addEventListener('abort', drain, { once: true });
    await child.run({ runId, segment: 1, runnerId: 'rehearsal' });
    return await log.last(streams.run(runId));
  } finally {
    model.close();
    model.closeAllConnections();
  }
}

const ignore = (): void => undefined;
/** The bus of somebody who is alone. */
const NOBODY = {
  isConnected: () => false,
  emit: ignore,
  listen: () => ({ stop: ignore, unreadable: () => 0 }),
  ask: () => Promise.reject(new Error('Nobody is asked in a rehearsal.')),
};

async function request(log: EventLog, runId: RunId): Promise<void> {
  const at = momentOf(systemClock.now());
  await new Runs(log, { app: 'gateway', id: 'rehearsal' }).request(runId, requested(at));
  const data = { at, segment: 1, because: 'requested', restartsWithoutProgress: 0 } as const;
  const coordinator = new Runs(log, { app: 'coordinator', id: 'rehearsal' });
  await coordinator.change(runId, () => [{ type: 'SegmentScheduled', data }]);
}

function requested(at: string): Extract<GatewayRunEvent, { type: 'RunRequested' }> {
  const spec = AgentSpec.parse({
    name: 'rehearsal',
    model: { name: 'simulator' },
    instructions: 'Complete each item.',
    tools: ['complete_item'],
    simulate: { policy: 'items' },
  });
  return {
    type: 'RunRequested',
    data: {
      at,
      agent: { name: spec.name, version: 1, spec, files: [] },
      caps: spec.caps,
      items: ITEMS.map((id) => ({ id, input: id })),
      requestDigest: '0'.repeat(64),
      by: 'rehearsal',
    },
  };
}

/** Completes one item a turn, then ends. */
async function scriptedModel(): Promise<Server> {
  const items = [...ITEMS];
  const server = createServer((incoming, response) => {
    incoming.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(turn(items.shift()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function turn(item: string | undefined): string {
  const usage = { input_tokens: 100, output_tokens: 1 };
  const message = { id: `msg_${item}`, type: 'message', role: 'assistant', model: 'simulator', content: [], usage };
  const [block, delta, why] =
    item === undefined
      ? [{ type: 'text', text: '' }, { type: 'text_delta', text: 'Done.' }, 'end_turn']
      : [
          { type: 'tool_use', id: `toolu_${item}`, name: 'complete_item', input: {} },
          { type: 'input_json_delta', partial_json: JSON.stringify({ item_id: item }) },
          'tool_use',
        ];
  return [
    { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: why, stop_sequence: null }, usage: { output_tokens: 10 } },
    { type: 'message_stop' },
  ]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');
}
