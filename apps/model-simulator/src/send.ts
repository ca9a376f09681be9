import type { ServerResponse } from 'node:http';
import type { FaultSpec } from '#contracts';
import { type Answer, wholeMessage } from './answer.js';
import { errorFrame, streamOf } from './answer-stream.js';

/** Everything about the way in which an answer is sent. */
export interface Sending {
  readonly stream: boolean;
  /** Over how long its pieces are spread, in milliseconds. */
  readonly thinkMs: number;
  readonly fault: FaultSpec | undefined;
  readonly requestId: string;
}

/** Writes a JSON answer in one go. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>>,
): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers });
  response.end(text);
}

/** Sends a message, streamed or whole, until the caller goes; or as much of it as the fault lets through. */
export function sendMessage(response: ServerResponse, answer: Answer, { stream, thinkMs, ...how }: Sending): void {
  const { fault, requestId } = how;
  const beats = stream ? streamOf(answer).map((frames) => [...frames]) : [[], [JSON.stringify(wholeMessage(answer))]];
  const head = {
    'content-type': stream ? 'text/event-stream; charset=utf-8' : 'application/json',
    ...(stream ? { 'cache-control': 'no-cache' } : {}),
    'request-id': requestId,
  };
  switch (fault?.kind) {
    case 'silent':
    case 'cut':
    case 'error-event':
      return breakOff(response, beats.flat().slice(0, fault.afterEvents), fault.kind, head);
    case 'slow': {
      const frames = beats.flat().map((frame) => [frame]);
      return inBeats(response, [[], ...frames], fault.delayMs * frames.length, head);
    }
    default:
      return inBeats(response, beats, thinkMs, head);
  }
}

function breakOff(
  response: ServerResponse,
  frames: readonly string[],
  how: 'silent' | 'cut' | 'error-event',
  head: Readonly<Record<string, string>>,
): void {
  if (how === 'error-event') {
    response.writeHead(200, head);
    return void response.end([...frames, errorFrame('overloaded_error', 'Overloaded')].join(''));
  }
  if (frames.length === 0) return how === 'cut' ? void response.destroy() : undefined;
  response.writeHead(200, head);
  response.write(frames.join(''), () => {
    if (how === 'cut') response.destroy();
  });
}

function inBeats(
  response: ServerResponse,
  beats: readonly (readonly string[])[],
  totalMs: number,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(200, headers);
  const [first = '', ...rest] = beats.map((frames) => frames.join(''));
  if (totalMs === 0 || rest.length === 0) return void response.end([first, ...rest].join(''));
  response.flushHeaders();
  if (first !== '') response.write(first);
  const startedAt = performance.now();
  const next = (place: number): NodeJS.Timeout => {
    const due = startedAt + (totalMs * (place + 1)) / rest.length;
    return setTimeout(() => {
      if (place === rest.length - 1) return void response.end(rest[place]);
      response.write(rest[place]);
      timer = next(place + 1);
    }, due - performance.now());
  };
  let timer = next(0);
  response.once('close', () => clearTimeout(timer));
}
