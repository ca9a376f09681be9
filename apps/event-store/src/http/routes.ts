import type { Access } from '../access/access.js';
import type { Authenticate } from '../access/authentication.js';
import type { Caller } from '../grpc/call.js';
import { Refusal, Status } from '../grpc/refusal.js';
import { type Answer, type Answering, type Asked, problem } from './answer.js';
import { isTrustedHost } from './trusted-host.js';

/** One address of the HTTP side of the port. */
export interface Route {
  /** Who may ask; `anyone` needs no credentials even where there are users. */
  readonly for: 'anyone' | 'users' | 'operators';
  readonly answer: (asked: Asked, caller: Caller) => Answer | Promise<Answer>;
}

/** By method and path, such as `GET /stats`; HEAD is answered as GET is. */
export type Routes = ReadonlyMap<string, Route>;

export interface Guard {
  readonly access: Access;
  readonly authenticate: Authenticate;
  /** Where there are no users, a browser must have come by one of these names: see `isTrustedHost`. */
  readonly hosts: () => readonly string[] | 'any';
}

/** Answers by the routes, and refuses what this server does not do. */
export function answeringBy(routes: Routes, guard: Guard): Answering {
  return async (asked) => {
    const method = asked.method === 'HEAD' ? 'GET' : asked.method;
    const route = routes.get(`${method} ${asked.path}`);
    if (!route) return unknown(routes, asked);
    if (route.for === 'anyone') return route.answer(asked, await guard.authenticate(undefined));
    return guarded(route, asked, guard);
  };
}

async function guarded(route: Route, asked: Asked, { access, authenticate, hosts }: Guard): Promise<Answer> {
  const trusted = hosts();
  if (trusted !== 'any' && !isTrustedHost(asked.host, trusted))
    return problem(421, 'Another host', `This server is not ${asked.host}: use its address.`);
  if (asked.origin !== undefined && !ownOrigin(asked))
    return problem(403, 'Another site', 'Pages of other sites may not ask this server.');
  try {
    const caller = await authenticate(asked.authorization);
    if (route.for === 'operators') access.requireOperator(caller);
    else access.requireUser(caller);
    return await route.answer(asked, caller);
  } catch (error) {
    if (error instanceof Refusal) return refused(error, asked);
    throw error;
  }
}

const ownOrigin = ({ origin, host }: Asked): boolean => origin?.replace(/^https?:\/\//, '') === host;

function refused({ status, message }: Refusal, { authorization }: Asked): Answer {
  switch (status) {
    case Status.UNAUTHENTICATED:
    case Status.PERMISSION_DENIED: {
      // A browser asks its user for a name and a password only when it has sent none, or wrong ones.
      if (status === Status.PERMISSION_DENIED && authorization !== undefined)
        return problem(403, 'Not allowed', message);
      const answer = problem(401, 'Not signed in', message);
      return {
        ...answer,
        headers: { ...answer.headers, 'www-authenticate': 'Basic realm="event store", charset="UTF-8"' },
      };
    }
    case Status.INVALID_ARGUMENT:
      return problem(400, 'Not understood', message);
    case Status.NOT_FOUND:
      return problem(404, 'Not found', message);
    case Status.UNAVAILABLE:
    case Status.RESOURCE_EXHAUSTED:
      return problem(503, 'Try again', message);
    default:
      return problem(500, 'The request failed', message);
  }
}

const OUT_OF_SCOPE: readonly (readonly [RegExp, string])[] = [
  [/^\/streams(\/|$)/, 'AtomPub is not served here: read and write streams with a gRPC client, look at them at /.'],
  [/^\/(projections?|sys)(\/|$)/, 'Projections are not served here: read $all through a filter instead.'],
  [/^\/users(\/|$)/, 'Users are kept in a file that is read at start: see `baton event-store user`.'],
  [/^\/(elections|web|admin\/(shutdown|node|login))(\/|$)/, 'Clustering and the admin site are not served here.'],
];

function unknown(routes: Routes, { method, path }: Asked): Answer {
  const allowed = ['GET', 'POST'].filter((one) => routes.has(`${one} ${path}`));
  if (allowed.length > 0) {
    const answer = problem(405, 'Another method', `${path} is not asked by ${method}.`);
    return { ...answer, headers: { ...answer.headers, allow: allowed.join(', ') } };
  }
  const [, why] = OUT_OF_SCOPE.find(([pattern]) => pattern.test(path)) ?? [];
  if (why !== undefined) return problem(501, 'Not served', why);
  return problem(404, 'Not found', 'This port speaks gRPC; for a browser there is a page at /.');
}
