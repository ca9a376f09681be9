import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, systemClock } from '#platform';
import type { Call, Caller } from './grpc/call.js';
import type { Handler, Handlers } from './grpc/handlers.js';
import { Status } from './grpc/refusal.js';
import { listen } from './grpc/transport.js';
import { pages } from './http/pages.js';
import { append } from './services/append.js';
import { batchAppend } from './services/batch-append.js';
import { gossip, supportedMethods } from './services/cluster.js';
import { read } from './services/read.js';
import { remove } from './services/remove.js';
import type { Store } from './services/sink.js';
import { openStorage, type StorageOptions } from './storage/database.js';
import { EventLog } from './storage/event-log.js';
import { Reader } from './storage/reader.js';

export interface ServerOptions extends StorageOptions {
  readonly host: string;
  readonly port: number;
  readonly clock?: Clock;
}

export interface RunningServer {
  readonly port: number;
  /** Records what was received, ends every call, closes the data folder. Idempotent. */
  readonly stop: () => Promise<void>;
}

/** How long a client has to take its last answers when the server stops. */
const GRACE_MS = 1000;
const ADMINISTRATOR: Caller = { name: 'admin', roles: new Set(['$admins', 'admin']) };

/** @throws FolderInUse, StorageFailed, Misconfigured */
export async function startServer({
  host,
  port,
  clock = systemClock,
  ...storage
}: ServerOptions): Promise<RunningServer> {
  const opened = openStorage(storage);
  const now = () => clock.now();
  const log = new EventLog(opened.database, now);
  const store: Store = { log, reader: new Reader(opened.database, log, now) };
  const open = new Set<Call>();
  let listening = { host, port };
  const transport = await listen({
    host,
    port,
    handlers: tracked(
      handlersOf(store, () => listening),
      open,
    ),
    authenticate: () => ADMINISTRATOR,
    http: pages(() => ({ calls: open.size, lastPosition: log.lastPosition, ...log.commits.counted })),
  }).catch((error: unknown) => {
    opened.close();
    throw error;
  });
  listening = { host, port: transport.port };
  const stop = async (): Promise<void> => {
    log.commits.flush();
    await nextTurn();
    for (const call of open) call.finish(Status.CANCELLED, 'The server is stopping.');
    await transport.close(GRACE_MS);
    log.commits.flush();
    opened.close();
  };
  let stopping: Promise<void> | undefined;
  return {
    port: transport.port,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function handlersOf(store: Store, advertised: () => { host: string; port: number }): Handlers {
  const streams = '/event_store.client.streams.Streams';
  const served: readonly (readonly [string, Handler])[] = [
    [`${streams}/Read`, read(store)],
    [`${streams}/Append`, append(store.log)],
    [`${streams}/BatchAppend`, batchAppend(store.log)],
    [`${streams}/Delete`, remove(store.log, 'Delete')],
    [`${streams}/Tombstone`, remove(store.log, 'Tombstone')],
    ['/event_store.client.server_features.ServerFeatures/GetSupportedMethods', supportedMethods()],
    ['/event_store.client.gossip.Gossip/Read', gossip(advertised)],
  ];
  return new Map(served.map(([path, handler]) => [path.toLowerCase(), handler]));
}

/** Knows the calls that are open, to end them when the server stops. */
function tracked(handlers: Handlers, open: Set<Call>): Handlers {
  const wrap =
    (handler: Handler): Handler =>
    (call) => {
      open.add(call);
      call.signal.addEventListener('abort', () => open.delete(call), { once: true });
      handler(call);
    };
  return new Map([...handlers].map(([path, handler]) => [path, wrap(handler)]));
}
