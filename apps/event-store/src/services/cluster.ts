import { type Handler, unary } from '../grpc/handlers.js';
import { methodOf } from '../protocol/codec.js';
import { uuidText } from '../storage/event.js';
import { SERVICE as PERSISTENT } from './persistent/service.js';
import type { Nothing } from './wire.js';

/** The version of the protocol that clients are told: it decides what they ask for. */
export const PROTOCOL_VERSION = '23.10.0';

const STREAMS = 'event_store.client.streams.Streams';
const SUPPORTED: readonly (readonly [service: string, method: string, ...features: string[]])[] = [
  [STREAMS, 'Read', 'position', 'events'],
  [STREAMS, 'Append'],
  [STREAMS, 'Delete'],
  [STREAMS, 'Tombstone'],
  [STREAMS, 'BatchAppend', 'deadline_duration'],
  ...['Create', 'Update', 'Delete', 'Read', 'GetInfo', 'ReplayParked', 'List'].map(
    (method) => [PERSISTENT, method, 'stream', 'all'] as const,
  ),
  [PERSISTENT, 'RestartSubsystem'],
  ['event_store.client.gossip.Gossip', 'Read'],
  ['event_store.client.server_features.ServerFeatures', 'GetSupportedMethods'],
];

/** What this server can do, so that a client needs not try. */
export const supportedMethods = (): Handler =>
  unary(methodOf<Nothing, object>('event_store.client.server_features.ServerFeatures', 'GetSupportedMethods'), () => ({
    eventStoreServerVersion: PROTOCOL_VERSION,
    methods: SUPPORTED.map(([service, name, ...features]) => ({
      serviceName: service.toLowerCase(),
      methodName: name.toLowerCase(),
      features,
    })),
  }));

/** Where clients are told to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The one member of the cluster of one, which leads. */
export interface Member {
  readonly instanceId: string;
  readonly endpoint: () => Endpoint;
}

export const theOnlyMember = (endpoint: () => Endpoint): Member => ({
  instanceId: uuidText(crypto.getRandomValues(new Uint8Array(16))),
  endpoint,
});

export function gossip({ instanceId, endpoint }: Member): Handler {
  return unary(methodOf<Nothing, object>('event_store.client.gossip.Gossip', 'Read'), () => {
    const { host, port } = endpoint();
    const member = {
      instanceId: { string: instanceId },
      timeStamp: String(Date.now() * 10_000),
      state: 'Leader',
      isAlive: true,
      httpEndPoint: { address: host, port },
    };
    return { members: [member] };
  });
}
