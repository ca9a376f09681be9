import { momentOf } from '#contracts';
import { serverEvents } from '#domain';
import { BatonError, type Clock } from '#platform';
import type { Pulse } from './pulse.js';
import type { SegmentLog } from './segment-log.js';
import type { Workspace } from './workspace.js';

/** How often servers are looked at, whatever is heard of them; one that is away, sooner at first. In milliseconds. */
const LOOK_MS = 30_000;
const FIRST_RETRY_MS = 1_000;

export interface ServerWatchParts {
  readonly log: SegmentLog;
  readonly workspace: Pick<Workspace, 'discover'>;
  readonly pulse: Pick<Pulse, 'recorded'>;
  readonly clock: Clock;
}

/**
 * What a segment knows of its MCP servers. It asks, and records what is new; also beside whatever the segment does, so that
 * the log soon says that one has gone, or is back.
 */
export class ServerWatch {
  /** Those that have answered, or were found to be away, since the segment began. */
  readonly asked = new Set<string>();
  private readonly over = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private looking = false;
  private wanted = false;

  constructor(private readonly parts: ServerWatchParts) {}

  /** Looks now and then until the end. */
  begin(): void {
    if (Object.keys(this.run.agent.spec.mcp).length > 0) this.later(LOOK_MS);
  }

  end(): void {
    clearTimeout(this.timer);
    this.over.abort();
  }

  /** Asks servers for their tools, each for itself. @throws Unavailable when the signal aborts */
  async ask(servers: readonly string[], signal: AbortSignal): Promise<void> {
    await Promise.all(servers.map((server) => this.askOne(server, signal)));
  }

  /** Asks those again that are known. A failure is no news of them; whoever needs the workspace hears of it. */
  async look(): Promise<void> {
    this.wanted = true;
    if (this.looking) return;
    this.looking = true;
    try {
      while (this.wanted && !this.over.signal.aborted) {
        this.wanted = false;
        await this.ask(Object.keys(this.run.servers), this.over.signal);
      }
    } catch (error) {
      if (!(error instanceof BatonError)) throw error;
    } finally {
      this.looking = false;
      this.later(this.nextMs());
    }
  }

  private nextMs(): number {
    const isAway = Object.values(this.run.servers).some(({ discovery }) => discovery.state === 'unavailable');
    const nextMs = isAway ? this.retryMs : LOOK_MS;
    this.retryMs = isAway ? Math.min(2 * this.retryMs, LOOK_MS) : FIRST_RETRY_MS;
    return nextMs;
  }

  private later(milliseconds: number): void {
    clearTimeout(this.timer);
    if (!this.over.signal.aborted) this.timer = setTimeout(() => void this.look(), milliseconds).unref();
  }

  private async askOne(server: string, signal: AbortSignal): Promise<void> {
    const { log, workspace, pulse, clock } = this.parts;
    for (const discovery of await workspace.discover([server], signal)) {
      const place = { segment: log.segment, at: momentOf(clock.now()) };
      await log.record(({ run }) => serverEvents(run, discovery, place));
      pulse.recorded(this.run.last.revision);
      this.asked.add(discovery.server);
      if (discovery.state === 'unavailable' && !this.looking) this.later(this.nextMs());
    }
  }

  private get run() {
    return this.parts.log.history.run;
  }
}
