import { Inject, Injectable } from '@nestjs/common';
import {
  AgentVersion,
  AgentVersionApplied,
  type ApplyAgentRequest,
  momentOf,
  SCHEMA_VERSION,
  streams,
} from '#contracts';
import { canonical } from '#domain';
import { type EventLog, RunContended, type StoredEvent, UnknownFact, WrongRevision } from '#log';
import { type Clock, idOf, sha256 } from '#platform';
import { BY, TENANT } from '../caller.js';
import { CLOCK, EVENT_LOG } from '../tokens.js';

const MOST_TRIES = 50;

/** The versions of agents: version n is the event at revision n - 1 of the stream `agent-<name>`. */
@Injectable()
export class Agents {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The newest version when none is named. */
  async find(name: string, version?: number): Promise<AgentVersion | undefined> {
    const stream = streams.agent(name);
    if (version === undefined) {
      const newest = await this.log.last(stream);
      return newest && readAgentVersion(newest);
    }
    for await (const event of this.log.read(stream, version - 1, 1)) return readAgentVersion(event);
    return undefined;
  }

  /** The content of the newest version makes no new one; of two who apply at once each gets a version of its own. */
  async apply({ spec, files }: ApplyAgentRequest): Promise<{ agent: AgentVersion; created: boolean }> {
    const inOrder = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const digest = sha256(canonical({ spec, files: inOrder }));
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const newest = await this.find(spec.name);
      if (newest?.digest === digest) return { agent: newest, created: false };
      const version = (newest?.version ?? 0) + 1;
      const agent: AgentVersion = { name: spec.name, version, digest, spec, files: inOrder };
      if (await this.record(agent)) return { agent, created: true };
    }
    throw new RunContended(`The agent ${spec.name} is being changed by many at once.`);
  }

  private async record(agent: AgentVersion): Promise<boolean> {
    const { name, version } = agent;
    const event: AgentVersionApplied = {
      type: 'AgentVersionApplied',
      data: { ...agent, at: momentOf(this.clock.now()), by: BY },
    };
    const metadata = {
      tenant: TENANT,
      correlationId: streams.agent(name),
      actor: { kind: 'user', id: BY },
      schemaVersion: SCHEMA_VERSION,
    };
    const id = idOf(`${streams.agent(name)}/${version}/${agent.digest}`);
    try {
      await this.log.append(streams.agent(name), [{ id, ...event, metadata }], version === 1 ? 'absent' : version - 2);
      return true;
    } catch (error) {
      if (error instanceof WrongRevision) return false;
      throw error;
    }
  }
}

/** @throws UnknownFact when it is none that this version can read */
export function readAgentVersion(stored: StoredEvent): AgentVersion & { readonly at: string } {
  const event = AgentVersionApplied.safeParse({ type: stored.type, data: stored.data });
  if (!event.success) throw new UnknownFact(`${stored.stream} cannot be read at revision ${stored.revision}.`);
  const { by: _by, ...agent } = event.data.data;
  return agent;
}
