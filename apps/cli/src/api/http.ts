import type { z } from 'zod';
import { messageOf, Unavailable, Unreadable } from '#platform';
import type { Target } from '../target.js';
import { refusalOf } from './refusal.js';

const ANSWER_WITHIN_MS = 30_000;

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE';
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the usual time limit. */
  readonly signal?: AbortSignal;
}

/** Speaks HTTP to one gateway with one key. */
export class Http {
  constructor(private readonly target: Target) {}

  /** @throws Refused, Unavailable, Unreadable */
  async ask<S extends z.ZodType>(path: string, schema: S, asking: Asking = {}): Promise<z.output<S>> {
    return this.read(await this.send(path, asking), path, schema);
  }

  /** What an answer says. @throws Unreadable */
  async read<S extends z.ZodType>(response: Response, path: string, schema: S): Promise<z.output<S>> {
    const answer = schema.safeParse(await response.json());
    if (answer.success) return answer.data;
    throw new Unreadable(
      `The answer of ${this.target.url}${path} cannot be read (${answer.error.issues[0]?.path.join('.')}: ${answer.error.issues[0]?.message}): use the \`baton\` of the same version as the gateway.`,
    );
  }

  /** The answer when it is a good one. @throws Refused, Unavailable */
  async send(path: string, asking: Asking = {}): Promise<Response> {
    const response = await this.fetch(path, asking);
    if (response.ok) return response;
    throw refusalOf(response.status, await response.text(), `${asking.method ?? 'GET'} ${this.target.url}${path}`);
  }

  /** Any answer. @throws Unavailable when there is none */
  async fetch(path: string, { method = 'GET', json, bytes, headers, signal }: Asking = {}): Promise<Response> {
    const body = json === undefined ? bytes : JSON.stringify(json);
    try {
      return await fetch(`${this.target.url}${path}`, {
        method,
        signal: signal ?? AbortSignal.timeout(ANSWER_WITHIN_MS),
        headers: {
          authorization: `Bearer ${this.target.key}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      throw new Unavailable(
        `The gateway at ${this.target.url} cannot be reached (${reasonOf(error)}): check the address and that it runs (\`npx baton ps\` shows a local cluster); nothing is lost, try again.`,
        { cause: error },
      );
    }
  }
}

/** `fetch` says only "fetch failed"; why is in its cause. */
const reasonOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
