import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Showing } from '../live/viewings.js';

/** One Server-Sent Events answer: each write waits until the viewer has taken what was written before. */
export class EventStream {
  private readonly leaving = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly response: ServerResponse,
    keepAliveMs: number,
  ) {
    response.once('close', () => this.leaving.abort());
    response.on('error', () => this.leaving.abort());
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    // A sign of life is for a quiet line; a full one needs none.
    this.timer = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': still here\n\n');
    }, keepAliveMs).unref();
    this.leaving.signal.addEventListener('abort', () => clearInterval(this.timer));
  }

  /** Aborts when the viewer has gone or was told goodbye. */
  get signal(): AbortSignal {
    return this.leaving.signal;
  }

  /** Shows until the run has ended and all of it was shown, or the viewer leaves. */
  async show(showings: AsyncIterable<Showing>): Promise<void> {
    try {
      for await (const showing of showings) {
        if (showing.kind === 'event') {
          const { revision, type } = showing.event;
          await this.write(`id: ${revision}\nevent: ${type}\ndata: ${JSON.stringify(showing.event)}\n\n`);
        } else if (showing.ended) {
          return this.finish(`event: end\ndata: ${JSON.stringify({ revision: showing.revision })}\n\n`);
        }
      }
    } finally {
      this.finish('');
    }
  }

  /** Tells the viewer that the gateway goes away; `Last-Event-ID` brings it back to where it was. */
  goodbye(): void {
    this.finish('event: goodbye\ndata: {"detail":"The gateway stops; come back with Last-Event-ID."}\n\n');
  }

  private finish(last: string): void {
    if (!this.response.writableEnded) this.response.end(last);
    this.leaving.abort();
  }

  private async write(text: string): Promise<void> {
    if (this.signal.aborted || this.response.write(text)) return;
    await once(this.response, 'drain', { signal: this.signal }).catch(() => undefined);
  }
}
