import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { newId } from '#platform';
import type { BenchCluster } from '../bench/relay/local-cluster.js';

const ANSWER_MS = 15_000;
const ASK_AGAIN_MS = 200;

/** The cluster's API as somebody sees it who keeps asking while services are away. */
export class Gateway {
  constructor(private readonly cluster: BenchCluster) {}

  /** Asks once; undefined while the gateway or the log is away. @throws when the answer is another one than expected */
  async look<S extends z.ZodType>(path: string, answer: S, waitMs = ANSWER_MS): Promise<z.output<S> | undefined> {
    const { status, body } = await this.answered(path, {}, waitMs);
    if (body === undefined || status >= 500) return undefined;
    return checked(path, status, body, answer);
  }

  /** Sends the same wish, under the same key, until it is answered. @throws when it is refused */
  async post<S extends z.ZodType>(path: string, wish: object, answer: S): Promise<z.output<S>> {
    const headers = { 'idempotency-key': newId() };
    for (;;) {
      const { status, body } = await this.answered(path, { method: 'POST', headers, body: JSON.stringify(wish) });
      if (body !== undefined && status < 500) return checked(path, status, body, answer);
      await pause(ASK_AGAIN_MS);
    }
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.cluster.key}`);
    headers.set('content-type', 'application/json');
    return fetch(this.cluster.url + path, { ...init, headers });
  }

  /** No body when nobody has answered, or not to the end. */
  private async answered(
    path: string,
    init: RequestInit,
    waitMs = ANSWER_MS,
  ): Promise<{ status: number; body: unknown }> {
    const response = await this.fetch(path, { ...init, signal: AbortSignal.timeout(waitMs) }).catch(() => undefined);
    const body: unknown = await response?.json().catch(() => undefined);
    return { status: response?.status ?? 503, body };
  }

  /** Where to follow runs live. */
  get live(): string {
    return `${this.cluster.url.replace('http', 'ws')}/v1/live?key=${this.cluster.key}`;
  }
}

function checked<S extends z.ZodType>(path: string, status: number, body: unknown, answer: S): z.output<S> {
  if (status >= 400) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
  return answer.parse(body);
}
