import { Controller, Get, Inject, Param } from '@nestjs/common';
import type { EffectsAnswer, Recorded, RunEvent } from '#contracts';
import { effectsOf, effectTotals } from '#domain';
import { Runs } from '#log';
import { noSuchRun } from '../http/problems.js';
import { runIdFrom } from '../runs/run-id.js';

/** What a run did to the world, made from its events when it is asked for. */
@Controller('v1/runs/:id/effects')
export class EffectsController {
  constructor(@Inject(Runs) private readonly runs: Runs<'gateway'>) {}

  @Get()
  async effects(@Param('id') named: string): Promise<EffectsAnswer> {
    const id = runIdFrom(named);
    const events: Recorded<RunEvent>[] = [];
    for await (const event of this.runs.events(id)) events.push(event);
    const last = events.at(-1);
    if (!last) throw noSuchRun(id);
    const effects = [...effectsOf(events)];
    return { asOf: last.revision, effects, totals: effectTotals(effects) };
  }
}
