import { Inject, Injectable } from '@nestjs/common';
import type { RunId, RunView } from '#contracts';
import { Runs } from '#log';
import type { Clock } from '#platform';
import { noSuchRun } from '../http/problems.js';
import { CLOCK } from '../tokens.js';
import { Heartbeats } from './heartbeats.js';
import { runView } from './run-view.js';

/** The truth about one run, made from the log and the heartbeats when it is asked for. */
@Injectable()
export class RunViews {
  constructor(
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(Heartbeats) private readonly heartbeats: Heartbeats,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws ApiProblem 404 */
  async of(id: RunId): Promise<RunView> {
    const run = await this.runs.load(id);
    if (!run) throw noSuchRun(id);
    const { relay } = run;
    const pulse = relay.phase === 'working' ? this.heartbeats.pulseOf(id, relay.segment, relay.startedAt) : undefined;
    return runView(id, run, pulse, this.clock.now());
  }
}
