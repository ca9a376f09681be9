import { enumeration, message, namespace, service } from './schema.js';

const revisionOptions = ['revision', 'start', 'end'];
const expectedRevision = { expectedStreamRevision: ['revision', 'noStream', 'any', 'streamExists'] };
const expectation = {
  streamIdentifier: 'StreamIdentifier 1',
  revision: 'uint64 2',
  noStream: 'Empty 3',
  any: 'Empty 4',
  streamExists: 'Empty 5',
};
const position = message({ commitPosition: 'uint64 1', preparePosition: 'uint64 2' });
const removal = () => message({ options: 'Options 1' }, {}, { Options: message(expectation, expectedRevision) });
const removed = () =>
  message(
    { position: 'Position 1', noPosition: 'Empty 2' },
    { positionOption: ['position', 'noPosition'] },
    { Position: position },
  );
const proposed = message({
  id: 'UUID 1',
  metadata: 'map<string,string> 2',
  customMetadata: 'bytes 3',
  data: 'bytes 4',
});

export const filterOptions = () =>
  message(
    {
      streamIdentifier: 'Expression 1',
      eventType: 'Expression 2',
      max: 'uint32 3',
      count: 'Empty 4',
      checkpointIntervalMultiplier: 'uint32 5',
    },
    { filter: ['streamIdentifier', 'eventType'], window: ['max', 'count'] },
    { Expression: message({ regex: 'string 1', prefix: 'repeated string 2' }) },
  );

export const uuidOption = () =>
  message({ structured: 'Empty 1', string: 'Empty 2' }, { content: ['structured', 'string'] });

export const recordedEvent = () =>
  message({
    id: 'UUID 1',
    streamIdentifier: 'StreamIdentifier 2',
    streamRevision: 'uint64 3',
    preparePosition: 'uint64 4',
    commitPosition: 'uint64 5',
    metadata: 'map<string,string> 6',
    customMetadata: 'bytes 7',
    data: 'bytes 8',
  });

const readOptions = message(
  {
    stream: 'StreamOptions 1',
    all: 'AllOptions 2',
    readDirection: 'ReadDirection 3',
    resolveLinks: 'bool 4',
    count: 'uint64 5',
    subscription: 'SubscriptionOptions 6',
    filter: 'FilterOptions 7',
    noFilter: 'Empty 8',
    uuidOption: 'UUIDOption 9',
    controlOption: 'ControlOption 10',
  },
  { streamOption: ['stream', 'all'], countOption: ['count', 'subscription'], filterOption: ['filter', 'noFilter'] },
  {
    ReadDirection: enumeration('Forwards', 'Backwards'),
    StreamOptions: message(
      { streamIdentifier: 'StreamIdentifier 1', revision: 'uint64 2', start: 'Empty 3', end: 'Empty 4' },
      { revisionOption: revisionOptions },
    ),
    AllOptions: message(
      { position: 'Position 1', start: 'Empty 2', end: 'Empty 3' },
      { allOption: ['position', 'start', 'end'] },
    ),
    SubscriptionOptions: message({}),
    Position: position,
    FilterOptions: filterOptions(),
    UUIDOption: uuidOption(),
    ControlOption: message({ compatibility: 'uint32 1' }),
  },
);

const readResponse = message(
  {
    event: 'ReadEvent 1',
    confirmation: 'SubscriptionConfirmation 2',
    checkpoint: 'Checkpoint 3',
    streamNotFound: 'StreamNotFound 4',
    firstStreamPosition: 'uint64 5',
    lastStreamPosition: 'uint64 6',
    lastAllStreamPosition: 'AllStreamPosition 7',
    caughtUp: 'CaughtUp 8',
    fellBehind: 'FellBehind 9',
  },
  {
    content: [
      'event',
      'confirmation',
      'checkpoint',
      'streamNotFound',
      'firstStreamPosition',
      'lastStreamPosition',
      'lastAllStreamPosition',
      'caughtUp',
      'fellBehind',
    ],
  },
  {
    ReadEvent: message(
      { event: 'RecordedEvent 1', link: 'RecordedEvent 2', commitPosition: 'uint64 3', noPosition: 'Empty 4' },
      { position: ['commitPosition', 'noPosition'] },
      { RecordedEvent: recordedEvent() },
    ),
    SubscriptionConfirmation: message({ subscriptionId: 'string 1' }),
    Checkpoint: message({ commitPosition: 'uint64 1', preparePosition: 'uint64 2' }),
    StreamNotFound: message({ streamIdentifier: 'StreamIdentifier 1' }),
    CaughtUp: message({}),
    FellBehind: message({}),
  },
);

const appendResponse = message(
  { success: 'Success 1', wrongExpectedVersion: 'WrongExpectedVersion 2' },
  { result: ['success', 'wrongExpectedVersion'] },
  {
    Position: position,
    Success: message(
      { currentRevision: 'uint64 1', noStream: 'Empty 2', position: 'Position 3', noPosition: 'Empty 4' },
      { currentRevisionOption: ['currentRevision', 'noStream'], positionOption: ['position', 'noPosition'] },
    ),
    WrongExpectedVersion: message(
      {
        currentRevision2060: 'uint64 1',
        noStream2060: 'Empty 2',
        expectedRevision2060: 'uint64 3',
        any2060: 'Empty 4',
        streamExists2060: 'Empty 5',
        currentRevision: 'uint64 6',
        currentNoStream: 'Empty 7',
        expectedRevision: 'uint64 8',
        expectedAny: 'Empty 9',
        expectedStreamExists: 'Empty 10',
        expectedNoStream: 'Empty 11',
      },
      {
        currentRevisionOption2060: ['currentRevision2060', 'noStream2060'],
        expectedRevisionOption2060: ['expectedRevision2060', 'any2060', 'streamExists2060'],
        currentRevisionOption: ['currentRevision', 'currentNoStream'],
        expectedRevisionOption: ['expectedRevision', 'expectedAny', 'expectedStreamExists', 'expectedNoStream'],
      },
    ),
  },
);

const batchExpectation = {
  noStream: 'google.protobuf.Empty',
  any: 'google.protobuf.Empty',
  streamExists: 'google.protobuf.Empty',
};
const expectedPosition = ['streamPosition', 'noStream', 'any', 'streamExists'];

const batchAppendRequest = message(
  {
    correlationId: 'UUID 1',
    options: 'Options 2',
    proposedMessages: 'repeated ProposedMessage 3',
    isFinal: 'bool 4',
  },
  {},
  {
    Options: message(
      {
        streamIdentifier: 'StreamIdentifier 1',
        streamPosition: 'uint64 2',
        noStream: `${batchExpectation.noStream} 3`,
        any: `${batchExpectation.any} 4`,
        streamExists: `${batchExpectation.streamExists} 5`,
        deadline21100: 'google.protobuf.Timestamp 6',
        deadline: 'google.protobuf.Duration 7',
      },
      { expectedStreamPosition: expectedPosition, deadlineOption: ['deadline21100', 'deadline'] },
    ),
    ProposedMessage: proposed,
  },
);

const batchAppendResponse = message(
  {
    correlationId: 'UUID 1',
    error: 'google.rpc.Status 2',
    success: 'Success 3',
    streamIdentifier: 'StreamIdentifier 4',
    streamPosition: 'uint64 5',
    noStream: `${batchExpectation.noStream} 6`,
    any: `${batchExpectation.any} 7`,
    streamExists: `${batchExpectation.streamExists} 8`,
  },
  { result: ['error', 'success'], expectedStreamPosition: expectedPosition },
  {
    Success: message(
      {
        currentRevision: 'uint64 1',
        noStream: 'google.protobuf.Empty 2',
        position: 'AllStreamPosition 3',
        noPosition: 'google.protobuf.Empty 4',
      },
      { currentRevisionOption: ['currentRevision', 'noStream'], positionOption: ['position', 'noPosition'] },
    ),
  },
);

/** Package `event_store.client.streams`. */
export const streams = namespace({
  ReadReq: message({ options: 'Options 1' }, {}, { Options: readOptions }),
  ReadResp: readResponse,
  AppendReq: message(
    { options: 'Options 1', proposedMessage: 'ProposedMessage 2' },
    { content: ['options', 'proposedMessage'] },
    { Options: message(expectation, expectedRevision), ProposedMessage: proposed },
  ),
  AppendResp: appendResponse,
  BatchAppendReq: batchAppendRequest,
  BatchAppendResp: batchAppendResponse,
  DeleteReq: removal(),
  DeleteResp: removed(),
  TombstoneReq: removal(),
  TombstoneResp: removed(),
  Streams: service({
    Read: 'ReadReq stream ReadResp',
    Append: 'stream AppendReq AppendResp',
    Delete: 'DeleteReq DeleteResp',
    Tombstone: 'TombstoneReq TombstoneResp',
    BatchAppend: 'stream BatchAppendReq stream BatchAppendResp',
  }),
});
