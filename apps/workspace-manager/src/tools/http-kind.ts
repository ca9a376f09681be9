import type { HttpTool, ResultBlock, RunId, ToolEffect } from '#contracts';
import { messageOf } from '#platform';
import { MAX_OUTPUT_BYTES } from '../commands.js';
import type { HeldWorkspace } from '../journal/entries.js';
import type { Journal } from '../journal/journal.js';
import { bodyOf } from '../network/body.js';
import { AddressRefused, NoAnswer } from '../network/errors.js';
import { type Reach, type Resolve, reachOf, send } from '../network/request.js';
import type { Secrets } from '../secrets/secrets.js';
import { type RawResult, rawResult, resultOf } from './call-results.js';
import { filledUrl, RequestRefused, requestOf } from './http-request.js';
import { httpResult } from './http-results.js';
import { checkOf } from './schemas.js';
import {
  abortable,
  type Began,
  type Conclusion,
  concluded,
  type Execution,
  notStarted,
  rejected,
  type ToolKind,
} from './tool-kind.js';

/** How long a probe waits for its answer, in milliseconds, and what is shown of that, in bytes. */
const PROBE_MS = 30_000;
const PROBE_BYTES = 30_000;

export interface HttpKindParts {
  readonly journal: Journal;
  readonly secrets: Secrets;
  readonly resolve: Resolve;
}

export interface Probing {
  readonly runId: RunId;
  readonly callId: string;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What a probe found out. */
export type Probed =
  | { found: 'done'; content: ResultBlock[] }
  | { found: 'not-done' }
  | { found: 'unknown'; reason: string };

/** Tools that are HTTP requests, declared in the agent file. */
export class HttpKind implements ToolKind {
  constructor(private readonly parts: HttpKindParts) {}

  has(tool: string, held: HeldWorkspace): boolean {
    return toolOf(tool, held) !== undefined;
  }

  check(name: string, input: Execution['input'], held: HeldWorkspace): Promise<string | undefined> {
    const tool = toolOf(name, held);
    const prepared = tool && prepare(tool, input);
    return Promise.resolve(typeof prepared === 'string' ? prepared : undefined);
  }

  async execute({ start, input, held, effect }: Execution, began: Began): Promise<Conclusion> {
    const tool = toolOf(start.tool, held);
    if (tool === undefined) return rejected(`This agent has no tool ${start.tool}.`);
    const prepared = prepare(tool, input);
    if (typeof prepared === 'string') return rejected(prepared);
    const headers = {
      'user-agent': 'baton',
      accept: '*/*',
      ...(prepared.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...lowerCased(this.parts.secrets.fillAll(tool.headers, held.external.secrets)),
      'accept-encoding': 'identity',
      'idempotency-key': keyOf(start),
    };
    return abortable(began, async (signal) => {
      try {
        const out = { method: tool.method, headers, body: prepared.body, signal };
        const answer = await send(prepared.url, out, this.reach(tool));
        return concluded(httpResult(tool.method, answer, await bodyOf(answer, MAX_OUTPUT_BYTES)));
      } catch (error) {
        const { stopping } = this.parts.journal.call(start) ?? {};
        return unanswered(error, effect, stopping === 'disk-full' ? undefined : stopping);
      }
    });
  }

  /** The manager ended while the request may have been out: nobody here can know what came of it. */
  resume(): Promise<Conclusion> {
    const reason = 'The workspace-manager ended while the request was under way, so its answer is not known.';
    return Promise.resolve({ kind: 'unknown', reason, executions: 1 });
  }

  /** Asks the world whether a call took effect. */
  async probe({ runId, callId, tool: name, input }: Probing, held: HeldWorkspace): Promise<Probed> {
    const tool = toolOf(name, held);
    const redactor = this.parts.secrets.redactor(held.external.secrets);
    const unknown = (reason: string): Probed => ({ found: 'unknown', reason: redactor.text(reason).slice(0, 2_000) });
    if (tool?.probe === undefined) return unknown(`The tool ${name} has no probe.`);
    try {
      const url = filledUrl(tool.probe.url, { ...input, call: `${runId}/${callId}` });
      const headers = { ...this.parts.secrets.fillAll(tool.probe.headers, held.external.secrets), accept: '*/*' };
      const out = { method: 'GET', headers, signal: AbortSignal.timeout(PROBE_MS) };
      const answer = await send(url, out, this.reach(tool));
      const result = httpResult('GET', answer, await bodyOf(answer, MAX_OUTPUT_BYTES));
      if (answer.statusCode === 404) return { found: 'not-done' };
      if (result.outcome !== 'ok') return unknown(`The probe of ${name} answered HTTP ${answer.statusCode ?? 0}.`);
      return { found: 'done', content: [...resultOf(result, redactor, PROBE_BYTES).content] };
    } catch (error) {
      return unknown(`The probe of ${name} did not work: ${messageOf(error)}`);
    }
  }

  private reach({ allowPrivate }: HttpTool): Reach {
    return reachOf(allowPrivate, this.parts.resolve);
  }
}

const toolOf = (name: string, { external }: HeldWorkspace): HttpTool | undefined =>
  external.http.find((tool) => tool.name === name);

/** The same in every attempt, so that the other side can tell a repetition from a new call. */
const keyOf = ({ runId, callId }: { readonly runId: RunId; readonly callId: string }): string => `${runId}/${callId}`;

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** The request, or what is wrong with the input. */
function prepare(tool: HttpTool, input: Execution['input']): ReturnType<typeof requestOf> | string {
  try {
    const fault = checkOf(tool.input)(input);
    return fault === undefined ? requestOf(tool, input) : `The input of ${tool.name} is wrong: ${fault}.`;
  } catch (error) {
    if (error instanceof RequestRefused) return error.message;
    return `The declaration of ${tool.name} in the agent file cannot be used: ${messageOf(error)}.`;
  }
}

/** What a call came to that got no answer: a request that may have done something is in doubt, whoever ended it. */
function unanswered(error: unknown, effect: ToolEffect, stopping: 'cancelled' | 'timed-out' | undefined): Conclusion {
  if (error instanceof AddressRefused) return notStarted(messageOf(error));
  const sent = !(error instanceof NoAnswer) || error.sent;
  if (sent && effect !== 'none') {
    const why = stopping === undefined ? messageOf(error) : stoppedBefore(stopping);
    return { kind: 'unknown', reason: `The request was sent. ${why}`, executions: 1 };
  }
  const result: RawResult =
    stopping === undefined ? rawResult('error', messageOf(error)) : rawResult(stopping, stoppedBefore(stopping));
  return concluded(result, sent ? 1 : 0);
}

const stoppedBefore = (stopping: 'cancelled' | 'timed-out'): string =>
  stopping === 'timed-out' ? 'The time limit came before an answer.' : 'The call was cancelled before an answer came.';
