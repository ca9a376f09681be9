import { Inject, Injectable } from '@nestjs/common';
import { momentOf, type RunId, type StartRunRequest } from '#contracts';
import { canonical, isEnded, type Run, summaryOf } from '#domain';
import { Runs } from '#log';
import { type Clock, idOf, newId, sha256 } from '#platform';
import { Agents } from '../agents/agents.js';
import { BY, TENANT } from '../caller.js';
import { ApiProblem, noSuchRun } from '../http/problems.js';
import { CLOCK } from '../tokens.js';
import { runRequested } from './start-run.js';

/** What people want of runs, put into the log. */
@Injectable()
export class RunWishes {
  constructor(
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(Agents) private readonly agents: Agents,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Starts a run; with a key that was used before, and the same wish, it is the run that was started then. */
  async start(wish: StartRunRequest, key: string | undefined): Promise<{ id: RunId; created: boolean }> {
    const id = (key === undefined ? newId() : idOf(`run/${TENANT}/${key}`)) as RunId;
    const requestDigest = sha256(canonical(wish));
    if (key !== undefined && (await this.wasStarted(id, requestDigest))) return { id, created: false };
    const agent = await this.agents.find(wish.agent, wish.version);
    if (!agent) throw agentUnknown(wish);
    const event = runRequested(wish, agent, { now: this.clock.now(), requestDigest });
    const answer = await this.runs.request(id, event);
    if (answer === 'exists') await this.wasStarted(id, requestDigest);
    return { id, created: answer === 'created' };
  }

  /** @throws ApiProblem 422 when the run was started by another wish with the same key */
  private async wasStarted(id: RunId, requestDigest: string): Promise<boolean> {
    for await (const { event } of this.runs.events(id, 0, 1)) {
      if (event.type === 'RunRequested' && event.data.requestDigest === requestDigest) return true;
      throw new ApiProblem(
        422,
        'idempotency-key-reused',
        `This Idempotency-Key has started the run ${id} with another body; use a new key for a new run.`,
      );
    }
    return false;
  }

  /**
   * Records the wish to cancel, once.
   * @returns the revision of the wish: its receipt
   * @throws ApiProblem 409 when the run has ended, 404
   */
  async cancel(id: RunId, reason: string | undefined): Promise<{ revision: number; run: Run }> {
    const { run, recorded } = await this.runs.change(id, (now) => {
      if (isEnded(now)) throw runEnded(id, now);
      if (now.cancel) return [];
      const data = { at: momentOf(this.clock.now()), by: BY, ...(reason === undefined ? {} : { reason }) };
      return [{ type: 'CancelRequested', data }];
    });
    return { revision: recorded > 0 ? run.last.revision : await this.cancelledAt(id), run };
  }

  private async cancelledAt(id: RunId): Promise<number> {
    for await (const { revision, event } of this.runs.events(id)) if (event.type === 'CancelRequested') return revision;
    throw noSuchRun(id);
  }
}

function agentUnknown({ agent, version }: StartRunRequest): ApiProblem {
  const field = version === undefined ? 'agent' : 'version';
  const message = `there is no agent ${agent}${version === undefined ? '' : ` with a version ${version}`}`;
  const detail = `${message.replace('there', 'There')}; apply it with POST /v1/agents first.`;
  return new ApiProblem(422, 'agent-unknown', detail, { errors: [{ field, message }] });
}

function runEnded(id: RunId, run: Run): ApiProblem {
  return new ApiProblem(409, 'run-ended', `The run ${id} has ended already. ${summaryOf(run)}`);
}
