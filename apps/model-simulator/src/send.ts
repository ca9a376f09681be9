import type { ServerResponse } from 'node:http';
import type { Answer } from './answer.js';
import { streamOf } from './answer-stream.js';

/** Writes a JSON answer in one go. */
export function sendJson(response: ServerResponse, status: number, body: object, requestId: string): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'request-id': requestId,
  });
  response.end(text);
}

/** Writes a whole message after `thinkMs`, unless the caller has gone by then. */
export function sendMessage(response: ServerResponse, answer: Answer, thinkMs: number, requestId: string): void {
  inBeats(response, ['', JSON.stringify(answer)], thinkMs, {
    'content-type': 'application/json',
    'request-id': requestId,
  });
}

/** Streams a message, its pieces spread evenly over `thinkMs`, until the caller goes. */
export function streamMessage(response: ServerResponse, answer: Answer, thinkMs: number, requestId: string): void {
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'request-id': requestId,
  };
  inBeats(response, streamOf(answer), thinkMs, headers);
}

function inBeats(
  response: ServerResponse,
  beats: readonly string[],
  totalMs: number,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(200, headers);
  if (totalMs === 0) return void response.end(beats.join(''));
  response.flushHeaders();
  const [first = '', ...rest] = beats;
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
