import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { AgentVersion, Caps } from '#contracts';
import type { EventLog, StoredEvent } from '#log';
import { type Logger, messageOf } from '#platform';
import { LogIndex } from '../log-index.js';
import { EVENT_LOG, LOGGER } from '../tokens.js';
import { readAgentVersion } from './agents.js';

/** The newest version of an agent, in a line. */
export interface AgentRow {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly model: string;
  readonly appliedAt: string;
}

/** The agents that there are. */
@Injectable()
export class AgentList implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rows = new Map<string, AgentRow>();
  private readonly caps = new Map<string, Caps>();
  private readonly index: LogIndex;

  constructor(
    @Inject(EVENT_LOG) log: EventLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.index = new LogIndex(log, ['AgentVersionApplied'], (event) => this.apply(event), logger);
  }

  onApplicationBootstrap(): void {
    void this.index.follow();
  }

  onModuleDestroy(): void {
    this.index.close();
  }

  /** By name. */
  async list(): Promise<readonly AgentRow[]> {
    await this.index.catchUp();
    return [...this.rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The caps of the newest version of each agent. */
  async newestCaps(): Promise<ReadonlyMap<string, Caps>> {
    await this.index.catchUp();
    return this.caps;
  }

  private apply(event: StoredEvent): void {
    let agent: AgentVersion & { readonly at: string };
    try {
      agent = readAgentVersion(event);
    } catch (error) {
      return this.logger.error({ stream: event.stream, reason: messageOf(error) }, 'an agent is left out of the list');
    }
    const { name, version, digest, spec, at } = agent;
    this.caps.set(name, spec.caps);
    this.rows.set(name, { name, version, digest, model: spec.model.name, appliedAt: at });
  }
}
