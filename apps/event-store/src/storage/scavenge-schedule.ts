import { type Logger, messageOf } from '#platform';
import type { Database } from './database.js';
import type { Scavenger } from './scavenge.js';

export interface ScheduleOptions {
  /** From one scavenge to the next; 0: never by itself. */
  readonly hours: number;
  readonly now: () => number;
  readonly logger: Logger;
}

const HOUR_MS = 3_600_000;
/** How often it is asked whether the time has come. */
const LOOK_MS = 60_000;

/** Scavenges from time to time. When it last did is kept in the database, so that restarts do not put it off for ever. */
export class ScavengeSchedule {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly scavenger: Scavenger,
    private readonly options: ScheduleOptions,
  ) {}

  start(): void {
    if (this.options.hours > 0) this.look();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    this.timer = setTimeout(() => this.look(), Math.min(LOOK_MS, this.options.hours * HOUR_MS)).unref();
    try {
      if (this.isTime()) void this.scavenge();
    } catch (error) {
      this.complain(error);
    }
  }

  /** A new folder is scavenged for the first time after the interval: at its start there is nothing to remove. */
  private isTime(): boolean {
    const row = this.database.prepare("SELECT value FROM settings WHERE name='scavenged-at'").get();
    if (row === undefined) this.remember();
    const at = row === undefined ? this.options.now() : Number((row as { value: string }).value);
    return this.options.now() - at >= this.options.hours * HOUR_MS;
  }

  private async scavenge(): Promise<void> {
    try {
      this.remember();
      this.options.logger.info(await this.scavenger.run(), 'scavenged');
    } catch (error) {
      this.complain(error);
    }
  }

  private complain(error: unknown): void {
    this.options.logger.warn({ reason: messageOf(error) }, 'the scavenge failed; it is tried again after the interval');
  }

  private remember(): void {
    this.database
      .prepare("INSERT OR REPLACE INTO settings (name, value) VALUES ('scavenged-at', ?)")
      .run(String(this.options.now()));
  }
}
