import Anthropic from '@anthropic-ai/sdk';
import { cutOff, failureOf, timedOut } from './failure-of.js';
import { createHttpFetch } from './http-fetch.js';
import type { Model, ModelRequest, ModelTurn, TurnOptions } from './model-port.js';
import type { SimulatorHeaders } from './simulate-header.js';
import { malformed, TurnFromStream } from './turn-from-stream.js';
import { type LoadBlob, loadMedia } from './wire-media.js';
import { mediaIn, toWire, versionHeaders } from './wire-request.js';

const ANTHROPIC_URL = 'https://api.anthropic.com';

export interface AnthropicModelOptions {
  /** The API's address without `/v1`. */
  readonly baseUrl?: string | undefined;
  readonly apiKey: string;
  /** Sent with the requests to a model simulator. */
  readonly headers?: SimulatorHeaders | undefined;
  /** Where the images and documents of the conversation are read. */
  readonly loadBlob: LoadBlob;
  /** The longest silence, in milliseconds: before the answer begins and between any two of its events. */
  readonly timeoutMs: number;
}

type Events = AsyncIterable<Anthropic.RawMessageStreamEvent>;

/** A model behind the Messages API; connections are kept open between turns. */
export function createAnthropicModel({
  baseUrl = ANTHROPIC_URL,
  apiKey,
  headers,
  loadBlob,
  timeoutMs,
}: AnthropicModelOptions): Model {
  const client = new Anthropic({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
    fetch: createHttpFetch(),
  });
  // Endpoints that only resemble Anthropic's often know the key by its older header alone.
  const alsoKey = baseUrl === ANTHROPIC_URL ? {} : { 'x-api-key': apiKey };
  const ask = async (request: ModelRequest, { place }: TurnOptions, signal: AbortSignal): Promise<Events> => {
    const media = await loadMedia(mediaIn(request), loadBlob);
    const sent = { ...alsoKey, ...headers?.(place), ...versionHeaders(request, apiKey) };
    return client.messages.create(toWire(request, media), { signal, headers: sent });
  };
  const limits = { timeoutMs, key: headers ? undefined : apiKey };
  return { turn: (request, options) => takeTurn((signal) => ask(request, options, signal), limits, options) };
}

interface Limits {
  readonly timeoutMs: number;
  /** What must be in no failure; a simulator is given none. */
  readonly key: string | undefined;
}

async function takeTurn(
  ask: (signal: AbortSignal) => Promise<Events>,
  { timeoutMs, key }: Limits,
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
    throw failureOf(error, key);
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
