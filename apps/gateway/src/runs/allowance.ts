import { Inject, Injectable } from '@nestjs/common';
import type { SomeCaps } from '#contracts';
import { ApiProblem } from '../http/problems.js';
import type { Limits } from '../surroundings.js';
import { LIMITS } from '../tokens.js';
import { RunList } from './run-list.js';

/** What this server allows at most, whatever agents and runs ask for. */
@Injectable()
export class Allowance {
  constructor(
    @Inject(LIMITS) private readonly limits: Limits,
    @Inject(RunList) private readonly runList: RunList,
  ) {}

  get caps(): SomeCaps {
    return this.limits.caps;
  }

  /** @throws ApiProblem 429 when the tenant has as many open runs as it may have */
  async assertRoom(): Promise<void> {
    const open = await this.runList.countOpen();
    if (open < this.limits.openRuns) return;
    throw new ApiProblem(
      429,
      'too-many-runs',
      `${open} runs are open already, and this server allows ${this.limits.openRuns} (BATON_MAX_OPEN_RUNS); wait until one has ended, or cancel one.`,
    );
  }
}
