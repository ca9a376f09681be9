import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { Moment, millisOf, type Report } from '#contracts';
import type { Clock } from '#platform';
import { validated } from '../http/problems.js';
import { CLOCK } from '../tokens.js';
import { Reports } from './reports.js';

const DEFAULT_MS = 3 * 86_400_000;

const ReportQuery = z.object({
  since: Moment.optional(),
  /** The most runs to look at. */
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
});

@Controller('v1/report')
export class ReportController {
  constructor(
    @Inject(Reports) private readonly reports: Reports,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  report(@Query() query: unknown): Promise<Report> {
    const { since, limit } = validated(ReportQuery, query, 'query');
    return this.reports.since(since === undefined ? this.clock.now() - DEFAULT_MS : millisOf(since), limit);
  }
}
