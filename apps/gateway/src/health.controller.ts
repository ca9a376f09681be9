import type { ServerResponse } from 'node:http';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { EventLog } from '#log';
import { failing } from '#platform';
import { sendJson } from './http/bodies.js';
import { EVENT_LOG } from './tokens.js';

/** Whether the process turns, and whether it can do its work: the log is all that it needs. */
@Controller('health')
export class HealthController {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  @Get('live')
  live(): { live: true } {
    return { live: true };
  }

  @Get('ready')
  async ready(@Res() response: ServerResponse): Promise<void> {
    const problems = await failing([{ name: 'log', check: () => this.log.ping() }]);
    const ready = Object.keys(problems).length === 0;
    sendJson(response, ready ? 200 : 503, { ready, problems });
  }
}
