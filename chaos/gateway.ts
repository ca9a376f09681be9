import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { newId } from '#platform';
import type { BenchCluster } from '../bench/relay/local-cluster.js';

const ANSWER_MS = 15_000;
const ASK_AGAIN_MS = 200;

/** The cluster's API as somebody sees it who keeps asking while services are away. */
export class Gateway {
  constructor(private readonly cluster: BenchCluster) {}

  /** Asks once. @throws when nobody answers, or the answer is a problem */
  async look<S extends z.ZodType>(path: string, answer: S): Promise<z.output<S>> {
    const response = await this.fetch(path, { signal: AbortSignal.timeout(ANSWER_MS) });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`);
    return answer.parse(body);
  }

  /** Sends the same wish, under the same key, until it is answered. @throws when it is refused */
  async post<S extends z.ZodType>(path: string, wish: object, answer: S): Promise<z.output<S>> {
    const headers = { 'idempotency-key': newId() };
    for (;;) {
      const init = { method: 'POST', headers, body: JSON.stringify(wish), signal: AbortSignal.timeout(ANSWER_MS) };
      const response = await this.fetch(path, init).catch(() => undefined);
      const body: unknown = await response?.json().catch(() => undefined);
      if (response?.ok && body !== undefined) return answer.parse(body);
      if (response && response.status < 500)
        throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`);
      await pause(ASK_AGAIN_MS);
    }
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.cluster.key}`);
    headers.set('content-type', 'application/json');
    return fetch(this.cluster.url + path, { ...init, headers });
  }

  /** Where to follow runs live. */
  get live(): string {
    return `${this.cluster.url.replace('http', 'ws')}/v1/live?key=${this.cluster.key}`;
  }
}
