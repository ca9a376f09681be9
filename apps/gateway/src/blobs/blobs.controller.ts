import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Head, Inject, Param, Put, Req, Res } from '@nestjs/common';
import { Digest } from '#contracts';
import { Blobs, type EventLog } from '#log';
import { sha256 } from '#platform';
import { readBody, sendJson } from '../http/bodies.js';
import { ApiProblem, invalid } from '../http/problems.js';
import { EVENT_LOG } from '../tokens.js';

const MOST_BLOB_BYTES = 50_000_000;

/** Files by the digest of their content: the seeds of workspaces. */
@Controller('v1/blobs')
export class BlobsController {
  private readonly blobs: Blobs;

  constructor(@Inject(EVENT_LOG) log: EventLog) {
    this.blobs = new Blobs(log);
  }

  @Put(':digest')
  async put(
    @Param('digest') named: string,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const digest = digestOf(named);
    const content = await readBody(request, MOST_BLOB_BYTES);
    const found = sha256(content);
    if (found !== digest) {
      throw new ApiProblem(422, 'digest-mismatch', `The content's SHA-256 is ${found}, not ${digest}.`);
    }
    const known = await this.blobs.has(digest);
    const ref = await this.blobs.put(content, request.headers['content-type'] ?? 'application/octet-stream');
    sendJson(response, known ? 200 : 201, ref);
  }

  @Head(':digest')
  async head(@Param('digest') named: string, @Res() response: ServerResponse): Promise<void> {
    response.writeHead((await this.blobs.has(digestOf(named))) ? 200 : 404).end();
  }
}

/** @throws ApiProblem 422 */
export function digestOf(named: string): string {
  const digest = Digest.safeParse(named);
  if (digest.success) return digest.data;
  throw invalid({ field: 'digest', message: 'name the blob by its SHA-256 in 64 lower-case hex digits' });
}
