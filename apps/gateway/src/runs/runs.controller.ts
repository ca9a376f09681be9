import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { z } from 'zod';
import { CancelRunRequest, type RunId, type RunRow, RunStatusWord, type RunView, StartRunRequest } from '#contracts';
import { type Run, statusOf } from '#domain';
import { Runs, RunUnknown } from '#log';
import type { Clock } from '#platform';
import { readJson, sendJson } from '../http/bodies.js';
import { invalid, noSuchRun, validated } from '../http/problems.js';
import { CLOCK } from '../tokens.js';
import { Heartbeats } from './heartbeats.js';
import { runIdFrom } from './run-id.js';
import { RunList } from './run-list.js';
import { runView } from './run-view.js';
import { RunWishes } from './run-wishes.js';

const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  status: RunStatusWord.optional(),
});

const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'use 1 to 200 visible ASCII characters')
  .optional();

@Controller('v1/runs')
export class RunsController {
  constructor(
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(RunWishes) private readonly wishes: RunWishes,
    @Inject(RunList) private readonly runList: RunList,
    @Inject(Heartbeats) private readonly heartbeats: Heartbeats,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  async start(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const key = keyOf(request);
    const wish = validated(StartRunRequest, await readJson(request));
    const { id, created } = await this.wishes.start(wish, key);
    sendJson(response, created ? 201 : 200, await this.viewOf(id), { location: `/v1/runs/${id}` });
  }

  @Get()
  async list(@Query() query: unknown): Promise<{ runs: readonly RunRow[] }> {
    const { limit, status } = validated(ListQuery, query, 'query');
    return { runs: await this.runList.list(limit, status) };
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<RunView> {
    return this.viewOf(runIdFrom(id));
  }

  @Post(':id/cancel')
  async cancel(
    @Param('id') named: string,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const id = runIdFrom(named);
    const { reason } = validated(CancelRunRequest, (await readJson(request)) ?? {});
    try {
      const { revision, run } = await this.wishes.cancel(id, reason);
      sendJson(response, 202, { id, revision, status: statusOf(run) });
    } catch (error) {
      throw error instanceof RunUnknown ? noSuchRun(id) : error;
    }
  }

  private async viewOf(id: RunId): Promise<RunView> {
    const run = await this.runs.load(id);
    if (!run) throw noSuchRun(id);
    return runView(id, run, this.pulseOf(id, run), this.clock.now());
  }

  private pulseOf(id: RunId, { relay }: Run): ReturnType<Heartbeats['pulseOf']> | undefined {
    return relay.phase === 'working' ? this.heartbeats.pulseOf(id, relay.segment, relay.startedAt) : undefined;
  }
}

function keyOf(request: IncomingMessage): string | undefined {
  const key = IdempotencyKey.safeParse(request.headers['idempotency-key']);
  if (key.success) return key.data;
  throw invalid({ field: 'Idempotency-Key', message: 'use 1 to 200 visible ASCII characters' });
}
