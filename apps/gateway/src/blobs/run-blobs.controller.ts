import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { BlobRef, RunId } from '#contracts';
import { namedBlobs } from '#domain';
import { Blobs, type EventLog, Runs } from '#log';
import { Unreadable } from '#platform';
import { ApiProblem, noSuchRun } from '../http/problems.js';
import { runIdFrom } from '../runs/run-id.js';
import { EVENT_LOG } from '../tokens.js';
import { digestOf } from './blobs.controller.js';

/** What the events of a run name by digest: large outputs, images, documents, files. Only the log of that run opens them. */
@Controller('v1/runs/:id/blobs')
export class RunBlobsController {
  private readonly blobs: Blobs;

  constructor(
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(EVENT_LOG) log: EventLog,
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
    const { digest, mediaType } = await this.ref(runIdFrom(named), digestOf(digestNamed));
    const etag = `"${digest}"`;
    // What a digest names never changes; who may see it may.
    const kept = { etag, 'cache-control': 'private, max-age=31536000, immutable' };
    if (request.headers['if-none-match']?.includes(etag)) {
      response.writeHead(304, kept).end();
      return;
    }
    const content = await this.contentOf(digest);
    // A tool has brought it from anywhere: a browser shall show it at most, and run nothing of it.
    const harmless = { 'x-content-type-options': 'nosniff', 'content-security-policy': "sandbox; default-src 'none'" };
    response.writeHead(200, { ...kept, ...harmless, 'content-type': mediaType, 'content-length': content.byteLength });
    response.end(content);
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

  private async contentOf(digest: string): Promise<Buffer> {
    try {
      return await this.blobs.get(digest);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      throw new ApiProblem(
        410,
        'blob-gone',
        `The run's log names the blob ${digest}, but it is not in the store (any more).`,
      );
    }
  }
}
