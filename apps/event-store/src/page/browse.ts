import type { Caller } from '../grpc/call.js';
import type { Answer, Asked } from '../http/answer.js';
import type { Route } from '../http/routes.js';
import type { Store } from '../services/sink.js';
import type { Browsed } from './browsed.js';
import type { Catalogue } from './catalogue.js';
import { streamPage } from './stream-page.js';
import { streamsPage } from './streams-page.js';

/** The pages on which people look through streams: read only, without scripts, nothing from elsewhere. */
export function browseRoutes(store: Store, catalogue: Catalogue): readonly (readonly [string, Route])[] {
  const shownTo = (caller: Caller): Browsed => ({
    store,
    catalogue,
    mayRead: (stream) => store.access.allows(caller, 'read', stream),
    requireRead: (stream) => store.access.require(caller, 'read', stream),
  });
  const route = (page: (asked: Asked, browsed: Browsed) => Answer): Route => ({
    for: 'users',
    answer: (asked, caller) => page(asked, shownTo(caller)),
  });
  return [
    ['GET /', route(streamsPage)],
    ['GET /stream', route(streamPage)],
  ];
}
