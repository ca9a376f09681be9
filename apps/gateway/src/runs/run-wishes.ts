import { Inject, Injectable } from '@nestjs/common';
import {
  type CallId,
  momentOf,
  type Receipt,
  type RunEvent,
  type RunId,
  type SomeCaps,
  type StartRunRequest,
} from '#contracts';
import {
  canonical,
  type Question,
  questionAbout,
  type Refusal,
  type Run,
  statusOf,
  type Wished,
  type Wisher,
  wishCaps,
} from '#domain';
import { Runs, RunUnknown } from '#log';
import { type Clock, idOf, newId, sha256 } from '#platform';
import { Agents } from '../agents/agents.js';
import { BY, TENANT } from '../caller.js';
import { ApiProblem, noSuchRun } from '../http/problems.js';
import { CLOCK } from '../tokens.js';
import { Allowance } from './allowance.js';
import { runRequested } from './start-run.js';

/** What people want of runs, put into the log. */
@Injectable()
export class RunWishes {
  constructor(
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(Agents) private readonly agents: Agents,
    @Inject(Allowance) private readonly allowance: Allowance,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Starts a run; with a key that was used before, and the same wish, it is the run that was started then. */
  async start(wish: StartRunRequest, key: string | undefined): Promise<{ id: RunId; created: boolean }> {
    const id = (key === undefined ? newId() : idOf(`run/${TENANT}/${key}`)) as RunId;
    const requestDigest = sha256(canonical(wish));
    if (key !== undefined && (await this.wasStarted(id, requestDigest))) return { id, created: false };
    const agent = await this.agents.find(wish.agent, wish.version);
    if (!agent) throw agentUnknown(wish);
    const event = runRequested(wish, agent, { now: this.clock.now(), requestDigest, maxima: this.allowance.caps });
    await this.allowance.assertRoom();
    const answer = await this.runs.request(id, event);
    if (answer === 'exists') await this.wasStarted(id, requestDigest);
    return { id, created: answer === 'created' };
  }

  /** Raises caps, within what this server allows. */
  raise(id: RunId, caps: SomeCaps): Promise<Receipt> {
    return this.wish(id, (run, wisher) => wishCaps(run, wisher, caps, this.allowance.caps));
  }

  /**
   * A verdict on a call. What was decided of one that has ended since is read from the log, so that the same verdict again
   * has the same answer, and another is told what holds.
   */
  async verdict(
    id: RunId,
    callId: CallId,
    decide: (run: Run, wisher: Wisher, before?: Question) => Wished,
  ): Promise<Receipt> {
    try {
      return await this.wish(id, decide);
    } catch (error) {
      if (!(error instanceof ApiProblem && error.code === 'not-asked')) throw error;
      const events: RunEvent[] = [];
      for await (const { event } of this.runs.events(id)) {
        if ('callId' in event.data && event.data.callId === callId) events.push(event);
      }
      const before = questionAbout(callId, events);
      return await this.wish(id, (run, wisher) => decide(run, wisher, before));
    }
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
   * Records what people wish of a run that is under way.
   * @returns the wish's receipt; of one that changes nothing, the revision of the run as it is
   * @throws ApiProblem 409, 422 or 429 with why it is not taken, 404
   */
  async wish(id: RunId, decide: (run: Run, wisher: Wisher) => Wished): Promise<Receipt> {
    const wisher = { by: BY, at: momentOf(this.clock.now()) };
    try {
      let known: number | undefined;
      let detail: string | undefined;
      const { run, recorded } = await this.runs.change(id, (now) => {
        const wished = decide(now, wisher);
        if (wished.refusal) throw refused(wished.refusal);
        ({ known, detail } = wished);
        return wished.events;
      });
      const newest = run.last.revision;
      const status = statusOf(run);
      return recorded > 0
        ? { id, revision: newest - recorded + 1, status, recorded: true }
        : { id, revision: known ?? newest, status, recorded: false, ...(detail !== undefined && { detail }) };
    } catch (error) {
      throw error instanceof RunUnknown ? noSuchRun(id) : error;
    }
  }
}

const refused = ({ code, detail }: Refusal): ApiProblem => new ApiProblem(STATUS_OF[code] ?? 409, code, detail);

const STATUS_OF: { readonly [Code in Refusal['code']]?: number } = {
  'too-many-messages': 429,
  'attachments-too-large': 422,
  'decision-missing': 422,
  'cap-not-raised': 422,
  'cap-too-high': 422,
};

function agentUnknown({ agent, version }: StartRunRequest): ApiProblem {
  const field = version === undefined ? 'agent' : 'version';
  const message = `there is no agent ${agent}${version === undefined ? '' : ` with a version ${version}`}`;
  const detail = `${message.replace('there', 'There')}; store it with \`npx baton agents apply FILE\` (POST /v1/agents) first.`;
  return new ApiProblem(422, 'agent-unknown', detail, { errors: [{ field, message }] });
}
