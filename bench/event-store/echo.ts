import type { ServerDuplexStream } from '@grpc/grpc-js';

const bytes = (value: Buffer): Buffer => value;

export type Duplex = ServerDuplexStream<Buffer, Buffer>;

/** A method that takes and gives bytes: what gRPC costs without any encoding. */
export const ECHO = {
  path: '/floor.Echo/Echo',
  requestStream: true,
  responseStream: true,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};
