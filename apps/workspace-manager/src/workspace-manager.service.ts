import type { Server } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { answerPresence } from '#bus';
import { ServerLost } from '#contracts';
import type { EventLog } from '#log';
import { type Logger, serveHealth, systemClock } from '#platform';
import { answerAsks, type RequestBus } from './asks.js';
import { assemble, redactStream, type WorkspaceManager } from './assembly.js';
import { secretVariables, type WorkspaceManagerConfig } from './config.js';
import { roomIn } from './machine.js';
import { systemResolve } from './network/request.js';

export const CONFIG = Symbol('the settings');
export const LOGGER = Symbol('the logger');
export const BUS = Symbol('the bus');
export const EVENT_LOG = Symbol('the event log');

/** The manager's life as a service: from taking up what it has left to letting go without ending any command. */
/** More than any disk takes. */
const UNLIMITED_MB_PER_S = 1_000_000_000;

@Injectable()
export class WorkspaceManagerService
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private manager: WorkspaceManager | undefined;
  private health: Server | undefined;
  /** Where the health of this manager can be asked, once it has started. */
  healthPort: number | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: WorkspaceManagerConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(BUS) private readonly bus: RequestBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { config, logger, bus, log } = this;
    const manager = await assemble({
      data: config.BATON_DATA,
      allowUnsandboxed: config.BATON_ALLOW_UNSANDBOXED,
      path: config.PATH,
      secrets: { variables: secretVariables(), folder: config.BATON_SECRETS_DIR },
      filter: redactStream(),
      resolve: systemResolve,
      log,
      clock: systemClock,
      logger,
      keepMs: config.BATON_KEEP_FILES_DAYS * 86_400_000,
      restMs: config.BATON_REST_MINUTES * 60_000,
      writeBytesPerSecond: 1_000_000 * (config.BATON_WRITE_MB_PER_S || UNLIMITED_MB_PER_S),
      onServerLost: (runId, server) => bus.emit(`${ServerLost.subject}.${runId}`, { server }),
    });
    this.manager = manager;
    const { holder, means } = manager;
    if (means.sandbox?.name === 'bubblewrap') logger.info({ holder }, means.sentence);
    else logger.warn({ holder }, means.sentence);
    answerAsks(bus, holder, manager.workspaces);
    manager.hearEnds();
    answerPresence(bus, {
      service: 'workspace-manager',
      id: holder,
      clock: systemClock,
      facts: () => ({ holds: manager.holdings(), disk: roomIn(config.BATON_DATA) }),
    });
    const checks = [bus.health(), { name: 'log', check: () => log.ping() }];
    const { server, port } = await serveHealth(config.BATON_HEALTH_PORT, config.BATON_HOST, checks);
    this.health = server;
    this.healthPort = port;
  }

  /** Those who wait for a running call are told that it runs; then nothing is asked any more. */
  async beforeApplicationShutdown(): Promise<void> {
    this.manager?.letGo();
    await this.bus.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.manager?.close();
    this.health?.close();
    await this.bus.close();
    await this.log.close();
  }
}
