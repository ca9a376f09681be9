import { fork } from 'node:child_process';
import type { Server } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Bus, type Consuming } from '#bus';
import { momentOf, RunSegment, WORK_CONSUMERS } from '#contracts';
import { isFenced } from '#domain';
import { type EventLog, Runs } from '#log';
import { type Logger, messageOf, newId, report, serveHealth, systemClock, Unavailable } from '#platform';
import type { SegmentRunnerConfig } from '../config.js';
import { type Assignment, Pool, type PoolChild } from './pool.js';

export const CONFIG = Symbol('the settings');
export const LOGGER = Symbol('the logger');
export const EVENT_LOG = Symbol('the event log');

/** How long an orderly end of all segments may take, in milliseconds; their own reserves are shorter. */
const STOP_MS = 9_000;
const CRASH_RETRY_MS = 500;

/** The supervisor: takes scheduled segments while a child is free, and records at once when a child dies. */
@Injectable()
export class SegmentRunnerService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly runnerId = `runner-${newId()}`;
  private readonly runs: Runs<'segment-runner'>;
  private pool: Pool | undefined;
  private consuming: Consuming | undefined;
  private health: Server | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: SegmentRunnerConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Bus) private readonly bus: Pick<Bus, 'consume' | 'health' | 'close'>,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {
    this.runs = new Runs(log, { app: 'segment-runner', id: this.runnerId });
  }

  async onApplicationBootstrap(): Promise<void> {
    const { config, logger, bus, log } = this;
    const program = new URL('../child/main.js', import.meta.url);
    this.takeSegments(() => fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    const checks = [bus.health(), { name: 'log', check: () => log.ping() }];
    const { server, port } = await serveHealth(config.BATON_HEALTH_PORT, config.BATON_HOST, checks);
    this.health = server;
    logger.info({ runnerId: this.runnerId, pool: config.BATON_POOL_SIZE }, 'the segment-runner takes segments');
    report({ type: 'ready', port });
  }

  /** Fills the pool and takes a segment whenever a child is free. */
  takeSegments(forkChild: () => PoolChild): void {
    const { config, logger, bus } = this;
    const pool = new Pool({
      fork: forkChild,
      size: config.BATON_POOL_SIZE,
      segmentsPerChild: config.BATON_SEGMENTS_PER_CHILD,
      runnerId: this.runnerId,
      logger,
      onCrash: (assignment, how) => void this.recordCrash(assignment, how),
      onChange: () => this.changed(),
    });
    this.pool = pool;
    this.consuming = bus.consume(RunSegment, WORK_CONSUMERS.runSegment, (order) => this.begin(order), {
      slots: () => pool.free(),
    });
  }

  /** Every segment hands off within its reserve. */
  async onApplicationShutdown(): Promise<void> {
    const stopped = this.consuming?.stop();
    await this.pool?.stop(STOP_MS);
    await stopped;
    this.health?.close();
    await this.bus.close();
    await this.log.close();
  }

  /** Resolves once the start is in the log, so that the message is acknowledged only then. @throws Unavailable */
  private async begin({ runId, segment }: RunSegment): Promise<void> {
    try {
      const begun = await this.pool?.begin({ runId, segment });
      this.logger.debug({ runId, segment, begun }, 'a segment was offered');
    } catch (error) {
      throw new Unavailable(`Segment ${segment} of ${runId} could not be begun: ${messageOf(error)}`, { cause: error });
    }
  }

  private changed(): void {
    this.consuming?.wake();
    report({ type: 'processes', processes: this.pool?.processes() ?? [] });
  }

  /** The child's death is known here first; when the log cannot be reached the sweeper will find the silence. */
  private async recordCrash({ runId, segment }: Assignment, how: string): Promise<void> {
    this.logger.warn({ runId, segment, how }, 'a child died with its segment');
    for (;;) {
      try {
        await this.runs.change(runId, (run) => {
          const data = { at: momentOf(systemClock.now()), segment, reason: 'crashed' as const, detail: how };
          return isFenced(run, segment) ? [] : [{ type: 'SegmentEnded', data }];
        });
        return;
      } catch (error) {
        this.logger.warn({ runId, segment, error: messageOf(error) }, 'the crash could not be recorded yet');
        await new Promise((resolve) => setTimeout(resolve, CRASH_RETRY_MS));
      }
    }
  }
}
