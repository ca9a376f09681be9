import { hostname } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, type Logger, Misconfigured, silentLogger, systemClock } from '#platform';
import { Access } from './access/access.js';
import { basicAuthentication, everybodyIsAdministrator } from './access/authentication.js';
import type { Certificate } from './access/certificate.js';
import { isLoopback } from './access/is-loopback.js';
import type { Users } from './access/users-file.js';
import type { Call } from './grpc/call.js';
import type { Handler, Handlers } from './grpc/handlers.js';
import { invalid, Status } from './grpc/refusal.js';
import { listen } from './grpc/transport.js';
import { aboutRoutes } from './http/about.js';
import { maintenanceRoutes } from './http/maintenance.js';
import { answeringBy } from './http/routes.js';
import { browseRoutes } from './page/browse.js';
import { Catalogue } from './page/catalogue.js';
import { Groups } from './persistent/groups.js';
import { append } from './services/append.js';
import { batchAppend } from './services/batch-append.js';
import { type Endpoint, gossip, type Member, supportedMethods, theOnlyMember } from './services/cluster.js';
import { persistentSubscriptions } from './services/persistent/handlers.js';
import { read } from './services/read.js';
import { remove } from './services/remove.js';
import type { Store } from './services/sink.js';
import { type Opened, openStorage, type StorageOptions } from './storage/database.js';
import { EventLog } from './storage/event-log.js';
import { Reader } from './storage/reader.js';
import { Scavenger } from './storage/scavenge.js';
import { ScavengeSchedule } from './storage/scavenge-schedule.js';
import { backUp } from './tools/backup.js';

export interface ServerOptions extends StorageOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: Certificate | undefined;
  /** Absent: whoever reaches the port may do everything. */
  readonly users?: Users | undefined;
  /** Lets users sign in without TLS, which is for the loopback interface only. */
  readonly usersWithoutTls?: boolean | undefined;
  /** Where clients are told to connect to; what is absent is where the server listens. */
  readonly advertise?: Partial<Endpoint> | undefined;
  /** Bytes of data that one append may carry; a mebibyte when absent. */
  readonly maxAppend?: number | undefined;
  /** Hours from one scavenge to the next; absent or 0: only on demand. */
  readonly scavengeHours?: number | undefined;
  /** How long a client may take (ms) to say what it wants; 10 s when absent. */
  readonly patienceMs?: number | undefined;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface RunningServer {
  readonly port: number;
  /** Records what was received, ends every call, closes the data folder. Idempotent. */
  readonly stop: () => Promise<void>;
}

/** How long a client has to take its last answers when the server stops. */
const GRACE_MS = 1000;
const MAX_APPEND = 1024 * 1024;

/** @throws FolderInUse, StorageFailed, Misconfigured */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  requireSafety(options);
  const { host, port, tls, users, clock = systemClock, logger = silentLogger } = options;
  const opened = openStorage(options);
  const now = () => clock.now();
  const log = openLog(opened, now);
  const reader = new Reader(opened.database, log, now);
  const access = new Access(log.streams, reader, users !== undefined);
  const store: Store = { log, reader, access, maxAppend: options.maxAppend ?? MAX_APPEND };
  const authenticate = users ? basicAuthentication(users) : everybodyIsAdministrator;
  const scavenger = new Scavenger(opened.database, log, now);
  const schedule = new ScavengeSchedule(opened.database, scavenger, { hours: options.scavengeHours ?? 0, now, logger });
  const groups = new Groups({ ...store, now: () => performance.now() });
  const open = new Set<Call>();
  let bound = port;
  const endpoint = advertised(options, () => bound);
  const member = theOnlyMember(endpoint);
  const stats = () => ({ calls: open.size, lastPosition: log.lastPosition, ...log.commits.counted });
  const routes = new Map([
    ...aboutRoutes({ member, users: users !== undefined, stats }),
    ...maintenanceRoutes({ scavenge: () => scavenger.run(), backup: (file) => backUpOpen(opened, file) }),
    ...browseRoutes(store, new Catalogue(opened.database)),
  ]);
  const transport = await listen({
    host,
    port,
    tls,
    handlers: tracked(handlersOf(store, groups, member), open),
    authenticate,
    patienceMs: options.patienceMs,
    http: answeringBy(routes, { access, authenticate, hosts: () => (users ? 'any' : [host, endpoint().host]) }),
  }).catch((error: unknown) => {
    opened.close();
    throw error;
  });
  bound = transport.port;
  schedule.start();
  const stop = async (): Promise<void> => {
    schedule.stop();
    const scavenged = scavenger.stop();
    log.commits.flush();
    await groups.close();
    await nextTurn();
    for (const call of open) call.finish(Status.CANCELLED, 'The server is stopping.');
    await transport.close(GRACE_MS);
    log.commits.flush();
    await scavenged;
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

/** @throws EndMissing */
function openLog(opened: Opened, now: () => number): EventLog {
  try {
    return new EventLog(opened.database, now, opened.mark);
  } catch (error) {
    opened.close();
    throw error;
  }
}

function backUpOpen({ file }: Opened, to: string): Promise<object> {
  if (file === undefined) throw invalid('What is kept in memory has no backup: start with a data folder.');
  return backUp(file, to);
}

function requireSafety({ host, tls, users, usersWithoutTls = false }: ServerOptions): void {
  if (!users || tls) return;
  if (!usersWithoutTls)
    throw new Misconfigured(
      'Users need TLS, or their passwords would travel in clear: give a certificate and its key, or allow users without TLS on the loopback interface.',
    );
  if (!isLoopback(host))
    throw new Misconfigured(
      `Users without TLS are for the loopback interface only, not for ${host}: give a certificate.`,
    );
}

/** An address that stands for all of them cannot be told to clients: then the name of this machine is. */
function advertised({ host, advertise }: ServerOptions, bound: () => number): () => Endpoint {
  const told = advertise?.host ?? (/^(0\.0\.0\.0|::)$/.test(host) ? hostname() : host);
  return () => ({ host: told, port: advertise?.port ?? bound() });
}

function handlersOf(store: Store, groups: Groups, member: Member): Handlers {
  const streams = '/event_store.client.streams.Streams';
  const served: readonly (readonly [string, Handler])[] = [
    [`${streams}/Read`, read(store)],
    [`${streams}/Append`, append(store)],
    [`${streams}/BatchAppend`, batchAppend(store)],
    [`${streams}/Delete`, remove(store, 'Delete')],
    [`${streams}/Tombstone`, remove(store, 'Tombstone')],
    ['/event_store.client.server_features.ServerFeatures/GetSupportedMethods', supportedMethods()],
    ['/event_store.client.gossip.Gossip/Read', gossip(member)],
    ...persistentSubscriptions(store, groups),
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
