import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  AgentName,
  AgentVersion,
  type ApplyAgentRequest,
  EffectsAnswer,
  EventPage,
  type EventView,
  Examination,
  Moment,
  ParkedList,
  ParkedMessage,
  Receipt,
  Report,
  RunId,
  RunRow,
  RunView,
  type StartRunRequest,
  UsageAnswer,
} from '#contracts';
import { messageOf, Unavailable, Unreadable } from '#platform';
import type { Target } from '../target.js';
import { Http } from './http.js';

const AgentRows = z.object({
  agents: z.array(
    z.object({
      name: AgentName,
      version: z.int().positive(),
      digest: z.string(),
      model: z.string(),
      appliedAt: Moment,
    }),
  ),
});
const RunRows = z.object({ runs: z.array(RunRow) });
/** Whoever starts a run needs its name; what it is doing is another question. */
const Started = z.object({ id: RunId });
const CREATED = 201;

export interface StartedRun {
  readonly id: RunId;
  /** False when the same request had started it before with the same key. */
  readonly isNew: boolean;
}

const PAGE = 500;
const MOST_LISTED = 500;
const EXAMINED_WITHIN_MS = 90_000;
const BLOB_WITHIN_MS = 300_000;
const REPORT_WITHIN_MS = 600_000;

/** The gateway's API as the commands need it. Errors are sentences; see `Http`. */
export class Gateway {
  readonly http: Http;

  constructor(target: Target) {
    this.http = new Http(target);
  }

  apply(agent: z.input<typeof ApplyAgentRequest>): Promise<AgentVersion> {
    return this.http.ask('/v1/agents', AgentVersion, { method: 'POST', json: agent });
  }

  async agents(): Promise<z.output<typeof AgentRows>['agents']> {
    return (await this.http.ask('/v1/agents', AgentRows)).agents;
  }

  agent(name: string, version?: number): Promise<AgentVersion> {
    const query = version === undefined ? '' : `?version=${version}`;
    return this.http.ask(`/v1/agents/${encodeURIComponent(name)}${query}`, AgentVersion);
  }

  /** Sends a blob unless the gateway has it. */
  async store(digest: string, content: Uint8Array<ArrayBuffer>): Promise<void> {
    const path = `/v1/blobs/${digest}`;
    if ((await this.http.fetch(path, { method: 'HEAD' })).ok) return;
    const headers = { 'content-type': 'application/octet-stream' };
    await this.http.send(path, { method: 'PUT', bytes: content, headers });
  }

  /** The same key with the same request starts one run, however often it is sent. */
  async start(request: z.input<typeof StartRunRequest>, idempotencyKey: string): Promise<StartedRun> {
    const path = '/v1/runs';
    const headers = { 'idempotency-key': idempotencyKey };
    const response = await this.http.send(path, { method: 'POST', json: request, headers });
    const { id } = await this.http.read(response, path, Started);
    return { id, isNew: response.status === CREATED };
  }

  run(id: string): Promise<RunView> {
    return this.http.ask(`/v1/runs/${id}`, RunView);
  }

  /** Newest first, as many as the gateway lists at once. */
  async runs(): Promise<readonly RunRow[]> {
    return (await this.http.ask(`/v1/runs?limit=${MOST_LISTED}`, RunRows)).runs;
  }

  /** Puts a wish into the log: `verb` is the path after the run, e.g. `cancel`. The same key again is the same wish. */
  wish(id: string, verb: string, json: object = {}, idempotencyKey?: string): Promise<Receipt> {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return this.http.ask(`/v1/runs/${id}/${verb}`, Receipt, { method: 'POST', json, headers });
  }

  /** What happened since a moment; the gateway reads all its runs for it, which may take a while. */
  report(since: Moment): Promise<Report> {
    const signal = AbortSignal.timeout(REPORT_WITHIN_MS);
    return this.http.ask(`/v1/report?since=${encodeURIComponent(since)}`, Report, { signal });
  }

  /** What the deployment's own measurements say. */
  examine(): Promise<Examination> {
    return this.http.ask('/v1/doctor', Examination, { signal: AbortSignal.timeout(EXAMINED_WITHIN_MS) });
  }

  /** Whether it is there at all. @throws Unavailable, Refused */
  async greet(): Promise<void> {
    await this.http.send('/health/live');
  }

  /** What the run did to the world. */
  effects(id: string): Promise<EffectsAnswer> {
    return this.http.ask(`/v1/runs/${id}/effects`, EffectsAnswer);
  }

  /** What an event of the run names by its digest, piece by piece. @throws Unreadable when it is not that in the end */
  async *blob(id: string, digest: string): AsyncGenerator<Uint8Array> {
    const signal = AbortSignal.timeout(BLOB_WITHIN_MS);
    const response = await this.http.send(`/v1/runs/${id}/blobs/${encodeURIComponent(digest)}`, { signal });
    const hash = createHash('sha256');
    try {
      for await (const piece of response.body ?? []) {
        hash.update(piece);
        yield piece;
      }
    } catch (error) {
      throw new Unavailable(`The blob did not come whole (${messageOf(error)}): try again.`, { cause: error });
    }
    if (hash.digest('hex') !== digest) throw new Unreadable(`What came is not the blob ${digest}: try again.`);
  }

  /** The messages on the bus that nobody could handle. */
  parked(): Promise<ParkedList> {
    return this.http.ask('/v1/parked', ParkedList);
  }

  parkedMessage(number: number): Promise<ParkedMessage> {
    return this.http.ask(`/v1/parked/${number}`, ParkedMessage);
  }

  replayParked(number: number): Promise<ParkedMessage> {
    return this.http.ask(`/v1/parked/${number}/replay`, ParkedMessage, { method: 'POST', json: {} });
  }

  async dropParked(number: number): Promise<void> {
    await this.http.send(`/v1/parked/${number}`, { method: 'DELETE' });
  }

  /** What agents or tenants have used. */
  usage(by: string, since: string | undefined): Promise<UsageAnswer> {
    const query = new URLSearchParams({ by, ...(since === undefined ? {} : { since }) });
    return this.http.ask(`/v1/usage?${query.toString()}`, UsageAnswer);
  }

  /** What the log holds of a run now, from a revision on. */
  async *events(id: string, from = 0): AsyncGenerator<EventView> {
    for (let next = from, end = false; !end; ) {
      const page = await this.http.ask(`/v1/runs/${id}/events?from=${next}&limit=${PAGE}`, EventPage);
      yield* page.events;
      ({ next, end } = page);
    }
  }
}
