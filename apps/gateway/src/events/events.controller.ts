import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { z } from 'zod';
import { type RunId, streams } from '#contracts';
import type { EventLog } from '#log';
import { sendJson } from '../http/bodies.js';
import { invalid, noSuchRun, validated } from '../http/problems.js';
import { Viewers } from '../live/viewers.js';
import { Viewings } from '../live/viewings.js';
import { runIdFrom } from '../runs/run-id.js';
import type { Timing } from '../surroundings.js';
import { EVENT_LOG, TIMING } from '../tokens.js';
import { EventStream } from './event-stream.js';
import { pageOf } from './pages.js';

const Revision = z.coerce
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER - 1);
const EventsQuery = z.object({
  from: Revision.default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

@Controller('v1/runs/:id/events')
export class EventsController {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(Viewings) private readonly viewings: Viewings,
    @Inject(Viewers) private readonly viewers: Viewers,
    @Inject(TIMING) private readonly timing: Timing,
  ) {}

  @Get()
  async events(
    @Param('id') named: string,
    @Query() query: unknown,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const run = runIdFrom(named);
    const { from, limit } = validated(EventsQuery, query, 'query');
    if (!/\btext\/event-stream\b/i.test(request.headers.accept ?? '')) {
      return sendJson(response, 200, await pageOf(this.log, run, from, limit));
    }
    await this.stream(run, afterLastSeen(request) ?? from, response);
  }

  private async stream(run: RunId, from: number, response: ServerResponse): Promise<void> {
    // Whatever is wrong is said before the answer begins.
    if ((await this.log.last(streams.run(run))) === undefined) throw noSuchRun(run);
    const stream = new EventStream(response, this.timing.keepAliveMs);
    const leave = this.viewers.enter(() => stream.goodbye());
    try {
      await stream.show(this.viewings.show(run, from, stream.signal));
    } finally {
      leave();
    }
  }
}

function afterLastSeen(request: IncomingMessage): number | undefined {
  const header = request.headers['last-event-id'];
  if (header === undefined || header === '') return undefined;
  const seen = Revision.safeParse(header);
  if (seen.success) return seen.data + 1;
  throw invalid({ field: 'Last-Event-ID', message: 'send the revision of the last event seen' });
}
