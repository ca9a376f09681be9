import {
  type Deserialize,
  fromJSON,
  type MessageTypeDefinition,
  type PackageDefinition,
  type Serialize,
} from '@grpc/proto-loader';
import { gossip, serverFeatures } from './cluster.schema.js';
import { persistentSubscriptions } from './persistent.schema.js';
import { namespace } from './schema.js';
import { google, shared } from './shared.schema.js';
import { streams } from './streams.schema.js';

const root = {
  nested: {
    google,
    event_store: namespace({
      client: namespace({
        ...shared,
        streams,
        persistent_subscriptions: persistentSubscriptions,
        server_features: serverFeatures,
        gossip,
      }),
    }),
  },
};

/** 64-bit numbers travel as decimal text, enums by name; absent fields are absent. */
const definitions: PackageDefinition = fromJSON(root, { longs: String, enums: String, oneofs: true });

export interface Codec<T> {
  encode: (value: T) => Buffer;
  decode: (bytes: Buffer) => T;
}

/** The codec of a message by its full name, such as `event_store.client.streams.ReadReq`. */
export function codecOf<T>(name: string): Codec<T> {
  const { serialize, deserialize } = definitions[name] as unknown as MessageTypeDefinition<T, T>;
  return { encode: serialize as Serialize<T>, decode: deserialize as Deserialize<T> };
}

export interface Method {
  readonly path: string;
  readonly request: Codec<unknown>;
  readonly response: Codec<unknown>;
}

/** The methods of a service by their names, with the path at which gRPC calls them. */
export function methodsOf(service: string): Readonly<Record<string, Method>> {
  const definition = definitions[service] as unknown as Readonly<Record<string, WireMethod>>;
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      {
        path: method.path,
        request: { encode: method.requestSerialize, decode: method.requestDeserialize },
        response: { encode: method.responseSerialize, decode: method.responseDeserialize },
      },
    ]),
  );
}

interface WireMethod {
  readonly path: string;
  readonly requestSerialize: Serialize<unknown>;
  readonly requestDeserialize: Deserialize<unknown>;
  readonly responseSerialize: Serialize<unknown>;
  readonly responseDeserialize: Deserialize<unknown>;
}
