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
  return { encode: serialize, decode: deserialize };
}

export interface Method<Request, Response> {
  /** Where gRPC calls it. */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

/** A method by the full name of its service and its own name. */
export function methodOf<Request, Response>(service: string, name: string): Method<Request, Response> {
  const methods = definitions[service] as unknown as Readonly<Record<string, WireMethod<Request, Response>>>;
  const method = methods[name];
  if (!method) throw new Error(`${service} has no method ${name}`);
  return {
    path: method.path,
    request: { encode: method.requestSerialize, decode: method.requestDeserialize },
    response: { encode: method.responseSerialize, decode: method.responseDeserialize },
  };
}

interface WireMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: Serialize<Request>;
  readonly requestDeserialize: Deserialize<Request>;
  readonly responseSerialize: Serialize<Response>;
  readonly responseDeserialize: Deserialize<Response>;
}
