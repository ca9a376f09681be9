import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { sha256 } from '#platform';
import { HealthController } from '../health.controller.js';
import { API_KEY } from '../tokens.js';
import { ApiProblem } from './problems.js';

/** The API key of this gateway, compared in constant time. */
@Injectable()
export class ApiKeys {
  private readonly digest: Buffer;

  constructor(@Inject(API_KEY) key: string) {
    this.digest = Buffer.from(sha256(key));
  }

  /** @throws ApiProblem 401 */
  check(presented: string | undefined): void {
    if (presented !== undefined && timingSafeEqual(Buffer.from(sha256(presented)), this.digest)) return;
    const what = presented === undefined ? 'There is no API key in the request' : 'The API key is wrong';
    throw new ApiProblem(
      401,
      'unauthorized',
      `${what}: send "Authorization: Bearer <key>" (\`npx baton\`: BATON_KEY, or --data DIR); a local cluster keeps its key in the file api-key of its data folder (.baton/api-key).`,
      { headers: { 'www-authenticate': 'Bearer realm="baton"' } },
    );
  }
}

export function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** Nothing but the health of the gateway is told without the key. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(@Inject(ApiKeys) private readonly keys: ApiKeys) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getClass() === HealthController) return true;
    this.keys.check(bearerOf(context.switchToHttp().getRequest<IncomingMessage>()));
    return true;
  }
}
