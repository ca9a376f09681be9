import type { Server } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Bus, type Consuming } from '#bus';
import { momentOf, RunSegment, WORK_CONSUMERS } from '#contracts';
import { type EventLog, Runs } from '#log';
import { BatonError, type Logger, messageOf, report, serveHealth, systemClock, Unavailable } from '#platform';
import type { SegmentRunnerConfig } from '../config.js';
import { Crashes } from './crashes.js';
import { OneJob } from './one-job.js';
import { type Crash, Pool } from './pool.js';

export const CONFIG = Symbol('the settings');
export const EVENT_LOG = Symbol('the event log');

/** How long an orderly end of all segments may take, in milliseconds; their own reserves are shorter. */
const STOP_MS = 9_000;
/**
 * A machine that vanishes says no goodbye: the bus goes on giving work to the requests that it had open, and each such
 * message is lost for this long.
 */
const ACK_WAIT_MS = 5_000;
const CRASH_RETRY_MS = 500;

/** The supervisor: takes scheduled segments while a child is free, and records at once when a child dies. */
@Injectable()
export class SegmentRunnerService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly crashes: Crashes;
  private readonly logger: Logger;
  private consuming: Consuming | undefined;
  private health: Server | undefined;
  private readonly job: OneJob | undefined;
  /** Where the health of this runner can be asked, once it has started. */
  healthPort: number | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: SegmentRunnerConfig,
    @Inject(Bus) private readonly bus: Pick<Bus, 'consume' | 'health' | 'close'>,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(Pool) private readonly pool: Pool,
  ) {
    const { runnerId } = pool.settings;
    this.crashes = new Crashes(new Runs(log, { app: 'segment-runner', id: runnerId }), runnerId);
    this.logger = pool.settings.logger;
    this.job = config.BATON_ONCE ? new OneJob(config.BATON_ONCE_WAIT_MS) : undefined;
  }

  /** Resolves with the exit code when the only job of this process is done; never when it takes one after the other. */
  finished(): Promise<number> {
    return this.job?.finished ?? new Promise(() => undefined);
  }

  /** Takes a segment whenever a child is free. */
  takeSegments(): void {
    const { bus, pool } = this;
    pool.listen({
      onCrash: (crash) => void this.recordCrash(crash),
      onDone: () => this.job?.done(),
      onChange: () => this.changed(),
    });
    this.consuming = bus.consume(RunSegment, WORK_CONSUMERS.runSegment, (order) => this.begin(order), {
      slots: () => (this.job?.isTaken() ? 0 : pool.free()),
      ackWaitMs: ACK_WAIT_MS,
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    const { config, logger, bus, log, pool } = this;
    this.takeSegments();
    const checks = [bus.health(), { name: 'log', check: () => log.ping() }];
    const { server, port } = await serveHealth(config.BATON_HEALTH_PORT, config.BATON_HOST, checks);
    this.health = server;
    this.healthPort = port;
    this.job?.wait();
    logger.info({ runnerId: pool.settings.runnerId, pool: pool.settings.size }, 'the segment-runner takes segments');
  }

  /** Every segment hands off within its reserve. */
  async onApplicationShutdown(): Promise<void> {
    const stopped = this.consuming?.stop();
    await this.pool.stop(STOP_MS);
    await stopped;
    this.health?.close();
    await this.bus.close();
    await this.log.close();
  }

  /** Resolves once the start is in the log, so that the message is acknowledged only then. @throws Unavailable */
  private async begin({ runId, segment }: RunSegment): Promise<void> {
    try {
      const begun = await this.pool.begin({ runId, segment });
      if (begun === 'started') this.job?.taken();
      this.logger.debug({ runId, segment, begun }, 'a segment was offered');
    } catch (error) {
      throw new Unavailable(`Segment ${segment} of ${runId} could not be begun: ${messageOf(error)}`, { cause: error });
    }
  }

  private changed(): void {
    this.consuming?.wake();
    report({ type: 'processes', processes: this.pool.processes() });
  }

  /** The child's death is known here first; while the log cannot be reached the sweeper finds the silence. */
  private async recordCrash(crash: Crash): Promise<void> {
    const { runId, segment, how } = crash;
    this.logger.warn({ runId, segment, how }, 'a child died with its segment');
    for (;;) {
      try {
        await this.crashes.record(crash, momentOf(systemClock.now()));
        this.job?.failed();
        return;
      } catch (error) {
        const facts = { runId, segment, error: messageOf(error) };
        if (!(error instanceof BatonError && error.remedy === 'retry')) {
          this.logger.error(facts, 'the crash cannot be recorded; the sweeper will hear the silence');
          this.job?.failed();
          return;
        }
        this.logger.warn(facts, 'the crash could not be recorded yet');
        await new Promise((resolve) => setTimeout(resolve, CRASH_RETRY_MS));
      }
    }
  }
}
