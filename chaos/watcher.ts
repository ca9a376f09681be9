import { setTimeout as pause } from 'node:timers/promises';
import { RunView } from '#contracts';
import type { Sample } from './check/facts.js';
import type { Gateway } from './gateway.js';
import type { Load, StartedRun } from './load.js';

/** Between two questions, in milliseconds: the watcher must not be the load. */
const BETWEEN_MS = 40;
const OVER: readonly string[] = ['completed', 'failed', 'cancelled', 'halted'];

/** Asks for the status of one open run after the other, all along, and keeps what it was told. */
export class Watcher {
  readonly samples: Sample[] = [];

  constructor(
    private readonly gateway: Gateway,
    private readonly load: Load,
  ) {}

  async watch(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      for (const run of this.load.openRuns()) {
        await this.ask(run);
        await pause(BETWEEN_MS, undefined, { signal: until }).catch(() => undefined);
        if (until.aborted) return;
      }
      await pause(BETWEEN_MS);
    }
  }

  private async ask({ id }: StartedRun): Promise<void> {
    const askedAt = Date.now();
    const view = await this.gateway.look(`/v1/runs/${id}`, RunView);
    // Not to answer is no lie.
    if (!view) return;
    const { status, asOf, items, segment, heartbeat } = view;
    this.samples.push({
      run: id,
      askedAt,
      status,
      revision: asOf.revision,
      type: asOf.type,
      done: items.done,
      failed: items.failed,
      ...(segment ? { segment: segment.number } : {}),
      ...(segment?.pid === undefined ? {} : { pid: segment.pid }),
      ...(heartbeat ? { verdict: heartbeat.verdict } : {}),
    });
    if (OVER.includes(status)) this.load.ended(id);
  }
}
