import { Controller, Get, Inject, Query } from '@nestjs/common';
import { type UsageAnswer, UsageQuery } from '#contracts';
import { validated } from '../http/problems.js';
import { UsageIndex } from './usage-index.js';

/** What agents and tenants have used. */
@Controller('v1/usage')
export class UsageController {
  constructor(@Inject(UsageIndex) private readonly index: UsageIndex) {}

  @Get()
  usage(@Query() query: unknown): Promise<UsageAnswer> {
    return this.index.answer(validated(UsageQuery, query, 'query'));
  }
}
