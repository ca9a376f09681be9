import Anthropic from '@anthropic-ai/sdk';
import { cutOff, failureOf, timedOut } from './failure-of.js';
import { createHttpFetch } from './http-fetch.js';
import type { Model, ModelRequest, ModelTurn, TurnOptions } from './model-port.js';
import { malformed, TurnFromStream } from './turn-from-stream.js';
import { toWire, versionHeaders } from './wire-request.js';

const ANTHROPIC_URL = 'https://api.anthropic.com';

export interface AnthropicModelOptions {
  /** The API's address without `/v1`. */
  readonly baseUrl?: string | undefined;
  readonly apiKey: string;
  /** Sent with every request, e.g. `simulateHeader(spec)`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The longest silence, in milliseconds: before the answer begins and between any two of its events. */
  readonly timeoutMs: number;
}

type Events = AsyncIterable<Anthropic.RawMessageStreamEvent>;

/** A model behind the Messages API; connections are kept open between turns. */
export function createAnthropicModel({
  baseUrl = ANTHROPIC_URL,
  apiKey,
  headers,
  timeoutMs,
}: AnthropicModelOptions): Model {
  const client = new Anthropic({
    baseURL: baseUrl,
    apiKey,
    defaultHeaders: headers,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
    fetch: createHttpFetch(),
  });
  const ask = (request: ModelRequest, signal: AbortSignal): Promise<Events> =>
    client.messages.create(toWire(request), { signal, headers: versionHeaders(request, apiKey) });
  return { turn: (request, options) => takeTurn((signal) => ask(request, signal), timeoutMs, options) };
}

async function takeTurn(
  ask: (signal: AbortSignal) => Promise<Events>,
  timeoutMs: number,
  { signal, onText }: TurnOptions,
): Promise<ModelTurn> {
  signal.throwIfAborted();
  const ending = new AbortController();
  const abort = (): void => ending.abort(signal.reason);
  const silence = setTimeout(() => ending.abort(timedOut()), timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await readTurn(await ask(ending.signal), () => silence.refresh(), onText);
  } catch (error) {
    if (ending.signal.aborted) throw ending.signal.reason;
    throw failureOf(error);
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', abort);
  }
}

async function readTurn(events: Events, heard: () => void, onText: TurnOptions['onText']): Promise<ModelTurn> {
  const answer = new TurnFromStream();
  for await (const event of events) {
    heard();
    const text = taken(answer, event);
    if (text !== '') onText?.(text);
  }
  if (!answer.ended) throw cutOff();
  return answer.turn();
}

function taken(answer: TurnFromStream, event: Anthropic.RawMessageStreamEvent): string {
  try {
    return answer.take(event);
  } catch (error) {
    throw malformed(error);
  }
}
