import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { z } from 'zod';
import { type RunRow, RunStatusWord, type RunView, StartRunRequest } from '#contracts';
import { Attached } from '../blobs/attached.js';
import { readJson, sendJson } from '../http/bodies.js';
import { keyOf } from '../http/idempotency-key.js';
import { validated } from '../http/problems.js';
import { runIdFrom } from './run-id.js';
import { RunList } from './run-list.js';
import { RunViews } from './run-views.js';
import { RunWishes } from './run-wishes.js';

const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  status: RunStatusWord.optional(),
});

@Controller('v1/runs')
export class RunsController {
  constructor(
    @Inject(RunViews) private readonly views: RunViews,
    @Inject(RunWishes) private readonly wishes: RunWishes,
    @Inject(RunList) private readonly runList: RunList,
    @Inject(Attached) private readonly attached: Attached,
  ) {}

  @Post()
  async start(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const key = keyOf(request);
    const wish = validated(StartRunRequest, await readJson(request));
    await this.attached.assert(wish.attachments);
    const { id, created } = await this.wishes.start(wish, key);
    sendJson(response, created ? 201 : 200, await this.views.of(id), { location: `/v1/runs/${id}` });
  }

  @Get()
  async list(@Query() query: unknown): Promise<{ runs: readonly RunRow[] }> {
    const { limit, status } = validated(ListQuery, query, 'query');
    return { runs: await this.runList.list(limit, status) };
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<RunView> {
    return this.views.of(runIdFrom(id));
  }
}
