import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerOf, seedOf } from './answer.js';
import { invalid } from './api-error.js';
import { type ArmedFaults, faultAt } from './faults.js';
import { checkHeaders, simulateSpecOf } from './headers-check.js';
import type { MessagesRequest } from './messages-request.js';
import { shortened, spoiled } from './move-fault.js';
import { play } from './play.js';
import { PromptCache } from './prompt-cache.js';
import { refusalOf } from './refusal-fault.js';
import { checkRequest } from './request-check.js';
import { sendJson, sendMessage } from './send.js';
import { inputTokens } from './token-count.js';
import { placeOf } from './turn-place.js';

/** A request as it came over HTTP. */
export interface Incoming {
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  /** The body's text. */
  readonly written: string;
  readonly requestId: string;
}

/** The two endpoints of the Messages API. Whatever they throw is the answer. */
export class MessagesApi {
  private readonly cache = new PromptCache();

  constructor(private readonly armed: ArmedFaults) {}

  countTokens({ headers, body, requestId }: Incoming, response: ServerResponse): void {
    const request = checkRequest(body, 'count_tokens', checkHeaders(headers));
    sendJson(response, 200, { input_tokens: inputTokens(request) }, { 'request-id': requestId });
  }

  /** @throws ApiError */
  message({ headers, body, written, requestId }: Incoming, response: ServerResponse): void {
    const request = checkRequest(body, 'messages', checkHeaders(headers));
    const spec = simulateSpecOf(headers);
    const place = placeOf(headers, request);
    const fault = this.armed.strike(place) ?? faultAt(spec.faults ?? [], place);
    const refusal = fault && refusalOf(fault, Date.now());
    if (refusal) throw refusal;
    checkLength(request, spec.windowTokens);
    const move = spoiled(play(request, spec, place.turn), fault);
    const whole = answerOf(move, request, seedOf(written, spec), this.cache.use(place.run, request));
    const sending = { stream: request.stream === true, thinkMs: spec.thinkMs, fault, requestId };
    sendMessage(response, shortened(whole, fault), sending);
  }
}

function checkLength(request: MessagesRequest, window: number | undefined): void {
  if (window === undefined) return;
  const tokens = inputTokens(request);
  if (tokens > window) throw invalid(`prompt is too long: ${tokens} tokens > ${window} maximum`);
}
