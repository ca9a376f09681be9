import { message, namespace } from './schema.js';

/** `google.protobuf`, `google.rpc`: the few well-known types that the protocol uses. */
export const google = namespace({
  protobuf: namespace({
    Empty: message({}),
    Timestamp: message({ seconds: 'int64 1', nanos: 'int32 2' }),
    Duration: message({ seconds: 'int64 1', nanos: 'int32 2' }),
    Any: message({ typeUrl: 'string 1', value: 'bytes 2' }),
  }),
  rpc: namespace({
    Status: message({ code: 'int32 1', message: 'string 2', details: 'google.protobuf.Any 3' }),
  }),
});

/** The messages of package `event_store.client` itself. */
export const shared = {
  Empty: message({}),
  UUID: message(
    { structured: 'Structured 1', string: 'string 2' },
    { value: ['structured', 'string'] },
    { Structured: message({ mostSignificantBits: 'int64 1', leastSignificantBits: 'int64 2' }) },
  ),
  StreamIdentifier: message({ streamName: 'bytes 3' }),
  AllStreamPosition: message({ commitPosition: 'uint64 1', preparePosition: 'uint64 2' }),
  WrongExpectedVersion: message(
    {
      currentStreamRevision: 'uint64 1',
      currentNoStream: 'google.protobuf.Empty 2',
      expectedStreamPosition: 'uint64 3',
      expectedAny: 'google.protobuf.Empty 4',
      expectedStreamExists: 'google.protobuf.Empty 5',
      expectedNoStream: 'google.protobuf.Empty 6',
    },
    {
      currentStreamRevisionOption: ['currentStreamRevision', 'currentNoStream'],
      expectedStreamPositionOption: [
        'expectedStreamPosition',
        'expectedAny',
        'expectedStreamExists',
        'expectedNoStream',
      ],
    },
  ),
  AccessDenied: message({}),
  StreamDeleted: message({ streamIdentifier: 'StreamIdentifier 1' }),
  Timeout: message({}),
  Unknown: message({}),
  InvalidTransaction: message({}),
  MaximumAppendSizeExceeded: message({ maxAppendSize: 'uint32 1' }),
  BadRequest: message({ message: 'string 1' }),
};
