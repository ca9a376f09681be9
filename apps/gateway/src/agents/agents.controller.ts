import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { z } from 'zod';
import { type AgentVersion, ApplyAgentRequest } from '#contracts';
import { Blobs, type EventLog } from '#log';
import { readJson, sendJson } from '../http/bodies.js';
import { ApiProblem, type FieldFault, invalid, validated } from '../http/problems.js';
import { EVENT_LOG } from '../tokens.js';
import { AgentList, type AgentRow } from './agent-list.js';
import { agentFaults } from './agent-rules.js';
import { Agents } from './agents.js';

const VersionQuery = z.object({ version: z.coerce.number().int().positive().optional() });
/** How many blobs are looked for at once. */
const LOOKS_AT_ONCE = 16;

@Controller('v1/agents')
export class AgentsController {
  private readonly blobs: Blobs;

  constructor(
    @Inject(Agents) private readonly agents: Agents,
    @Inject(AgentList) private readonly agentList: AgentList,
    @Inject(EVENT_LOG) log: EventLog,
  ) {
    this.blobs = new Blobs(log);
  }

  @Post()
  async apply(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const wanted = validated(ApplyAgentRequest, await readJson(request));
    const faults = agentFaults(wanted);
    if (faults.length > 0) throw invalid(...faults);
    await this.assertStored(wanted);
    const { agent, created } = await this.agents.apply(wanted);
    sendJson(response, created ? 201 : 200, agent);
  }

  @Get()
  async list(): Promise<{ agents: readonly AgentRow[] }> {
    return { agents: await this.agentList.list() };
  }

  @Get(':name')
  async get(@Param('name') name: string, @Query() query: unknown): Promise<AgentVersion> {
    const { version } = validated(VersionQuery, query, 'query');
    const agent = await this.agents.find(name, version);
    if (agent) return agent;
    throw new ApiProblem(
      404,
      'agent-unknown',
      `There is no agent ${name}${version === undefined ? '' : ` with a version ${version}`}; \`npx baton agents list\` (GET /v1/agents) shows them.`,
    );
  }

  /** A version never names a file that nobody has. @throws ApiProblem 422 `blob-missing` */
  private async assertStored({ files }: ApplyAgentRequest): Promise<void> {
    const errors: FieldFault[] = [];
    for (let from = 0; from < files.length; from += LOOKS_AT_ONCE) {
      const some = files.slice(from, from + LOOKS_AT_ONCE);
      const stored = await Promise.all(some.map(({ digest }) => this.blobs.renew(digest)));
      for (const [place, { path, digest }] of some.entries()) {
        if (stored[place]) continue;
        errors.push({
          field: `files.${from + place}.digest`,
          message: `send ${path} to PUT /v1/blobs/${digest} first`,
        });
      }
    }
    if (errors.length > 0) {
      throw new ApiProblem(422, 'blob-missing', `${errors.length} of the files have not been sent yet.`, { errors });
    }
  }
}
