import type { ServerResponse } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import { BatonError, type Logger, messageOf } from '#platform';
import { LOGGER } from '../tokens.js';
import { ApiProblem, type FieldFault, problemBody } from './problems.js';

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldFault[];
  readonly headers?: Readonly<Record<string, string>>;
}

const RETRY_AFTER_SECONDS = '1';

/** The only place that writes errors to HTTP. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    const answer = answerTo(error);
    if (answer.status === 500) this.logger.error({ error: stackOf(error), code: answer.code }, 'a request failed');
    // An answer that has begun cannot be taken back: the cut connection tells the caller.
    if (response.headersSent) return void response.destroy();
    send(response, answer);
  }
}

/** What an error means to a caller. */
export function answerTo(error: unknown): Answer {
  if (error instanceof ApiProblem) {
    const { status, code, message, particulars } = error;
    return { status, code, detail: message, ...particulars };
  }
  if (error instanceof BatonError && error.remedy === 'retry') {
    const advice = /try again/i.test(error.message) ? 'Nothing' : 'Try again; nothing';
    const detail = `${error.message.replace(/\.?$/, '.')} ${advice} is lost when the request has an Idempotency-Key.`;
    return { status: 503, code: error.code, detail, headers: { 'retry-after': RETRY_AFTER_SECONDS } };
  }
  if (error instanceof BatonError) return { status: 500, code: error.code, detail: error.message };
  if (error instanceof HttpException && error.getStatus() === 404) {
    return { status: 404, code: 'not-found', detail: `${error.message}; the routes are in docs/api.md.` };
  }
  if (error instanceof HttpException) return { status: error.getStatus(), code: 'bad-request', detail: error.message };
  return { status: 500, code: 'internal', detail: 'The gateway has failed at this request; its log says why.' };
}

function send(response: ServerResponse, { status, code, detail, errors, headers }: Answer): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    .end(JSON.stringify(problemBody(status, code, detail, errors)));
}

const stackOf = (error: unknown): string => (error instanceof Error && error.stack ? error.stack : messageOf(error));
