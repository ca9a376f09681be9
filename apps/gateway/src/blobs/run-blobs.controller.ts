import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { BlobRef, RunId } from '#contracts';
import { namedBlobs } from '#domain';
import { Blobs, type EventLog, Runs } from '#log';
import { type Logger, messageOf } from '#platform';
import { ApiProblem, noSuchRun } from '../http/problems.js';
import { runIdFrom } from '../runs/run-id.js';
import { EVENT_LOG, LOGGER } from '../tokens.js';
import { digestOf } from './blobs.controller.js';
import { rangeOf } from './range.js';

/** What the events of a run name by digest: large outputs, images, documents, files. Only the log of that run opens them. */
@Controller('v1/runs/:id/blobs')
export class RunBlobsController {
  private readonly blobs: Blobs;

  constructor(
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(EVENT_LOG) log: EventLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.blobs = new Blobs(log);
  }

  @Get(':digest')
  async get(
    @Param('id') named: string,
    @Param('digest') digestNamed: string,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const { digest, mediaType, bytes } = await this.ref(runIdFrom(named), digestOf(digestNamed));
    const etag = `"${digest}"`;
    // What a digest names never changes; who may see it may.
    const kept = { etag, 'cache-control': 'private, max-age=31536000, immutable', 'accept-ranges': 'bytes' };
    if (request.headers['if-none-match']?.includes(etag)) {
      response.writeHead(304, kept).end();
      return;
    }
    if (!(await this.blobs.has(digest))) throw gone(digest);
    const range = rangeOf(request.headers, bytes, etag);
    if (range === 'beyond') throw beyond(bytes);
    // A tool has brought it from anywhere: a browser shall show it at most, and run nothing of it.
    const harmless = { 'x-content-type-options': 'nosniff', 'content-security-policy': "sandbox; default-src 'none'" };
    const length = range ? range.last - range.first + 1 : bytes;
    const part = range && { 'content-range': `bytes ${range.first}-${range.last}/${bytes}` };
    const headers = { ...kept, ...harmless, 'content-type': mediaType, 'content-length': length, ...part };
    response.writeHead(range ? 206 : 200, headers);
    if (request.method === 'HEAD') response.end();
    else await this.send(range ? this.blobs.part(digest, range) : this.blobs.whole(digest), response);
  }

  /** What goes wrong now breaks the connection: the answer has begun. */
  private async send(content: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
    try {
      await pipeline(content, response);
    } catch (error) {
      this.logger.warn({ error: messageOf(error) }, 'a blob was not sent to its end');
    }
  }

  /** @throws ApiProblem 404 */
  private async ref(id: RunId, digest: string): Promise<BlobRef> {
    let isThere = false;
    for await (const { event } of this.runs.events(id)) {
      isThere = true;
      const ref = namedBlobs(event).find((blob) => blob.digest === digest);
      if (ref) return ref;
    }
    if (!isThere) throw noSuchRun(id);
    throw new ApiProblem(404, 'blob-unknown', `No event of the run ${id} names a blob ${digest}.`);
  }
}

const gone = (digest: string): ApiProblem =>
  new ApiProblem(410, 'blob-gone', `The run's log names the blob ${digest}, but it is not in the store (any more).`);

const beyond = (bytes: number): ApiProblem =>
  new ApiProblem(416, 'range-beyond', `The blob has ${bytes} bytes: ask for a range that begins within them.`, {
    headers: { 'content-range': `bytes */${bytes}` },
  });
