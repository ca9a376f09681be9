import { enumeration, message, namespace, service } from './schema.js';
import { filterOptions, recordedEvent, uuidOption } from './streams.schema.js';

const position = message({ commitPosition: 'uint64 1', preparePosition: 'uint64 2' });
const streamOptions = message(
  { streamIdentifier: 'StreamIdentifier 1', revision: 'uint64 2', start: 'Empty 3', end: 'Empty 4' },
  { revisionOption: ['revision', 'start', 'end'] },
);
const settings = (more: Readonly<Record<string, string>>) =>
  message(
    {
      resolveLinks: 'bool 1',
      revision: 'uint64 2',
      extraStatistics: 'bool 3',
      messageTimeoutTicks: 'int64 4',
      maxRetryCount: 'int32 5',
      checkpointAfterTicks: 'int64 6',
      minCheckpointCount: 'int32 7',
      maxCheckpointCount: 'int32 8',
      maxSubscriberCount: 'int32 9',
      liveBufferSize: 'int32 10',
      readBatchSize: 'int32 11',
      historyBufferSize: 'int32 12',
      namedConsumerStrategy: 'ConsumerStrategy 13',
      messageTimeoutMs: 'int32 14',
      checkpointAfterMs: 'int32 15',
      ...more,
    },
    {
      messageTimeout: ['messageTimeoutTicks', 'messageTimeoutMs'],
      checkpointAfter: ['checkpointAfterTicks', 'checkpointAfterMs'],
    },
  );
const groupOptions = {
  streamIdentifier: 'StreamIdentifier 1',
  groupName: 'string 2',
  settings: 'Settings 3',
  stream: 'StreamOptions 4',
  all: 'AllOptions 5',
};
const strategies = enumeration('DispatchToSingle', 'RoundRobin', 'Pinned');
const allPosition = { position: 'Position 1', start: 'Empty 2', end: 'Empty 3' };
const allOption = ['position', 'start', 'end'];

const readRequest = message(
  { options: 'Options 1', ack: 'Ack 2', nack: 'Nack 3' },
  { content: ['options', 'ack', 'nack'] },
  {
    Options: message(
      {
        streamIdentifier: 'StreamIdentifier 1',
        all: 'Empty 5',
        groupName: 'string 2',
        bufferSize: 'int32 3',
        uuidOption: 'UUIDOption 4',
      },
      { streamOption: ['streamIdentifier', 'all'] },
      { UUIDOption: uuidOption() },
    ),
    Ack: message({ id: 'bytes 1', ids: 'repeated UUID 2' }),
    Nack: message(
      { id: 'bytes 1', ids: 'repeated UUID 2', action: 'Action 3', reason: 'string 4' },
      {},
      { Action: enumeration('Unknown', 'Park', 'Retry', 'Skip', 'Stop') },
    ),
  },
);

const readResponse = message(
  { event: 'ReadEvent 1', subscriptionConfirmation: 'SubscriptionConfirmation 2' },
  { content: ['event', 'subscriptionConfirmation'] },
  {
    ReadEvent: message(
      {
        event: 'RecordedEvent 1',
        link: 'RecordedEvent 2',
        commitPosition: 'uint64 3',
        noPosition: 'Empty 4',
        retryCount: 'int32 5',
        noRetryCount: 'Empty 6',
      },
      { position: ['commitPosition', 'noPosition'], count: ['retryCount', 'noRetryCount'] },
      { RecordedEvent: recordedEvent() },
    ),
    SubscriptionConfirmation: message({ subscriptionId: 'string 1' }),
  },
);

const subscriptionInfo = message(
  {
    eventSource: 'string 1',
    groupName: 'string 2',
    status: 'string 3',
    connections: 'repeated ConnectionInfo 4',
    averagePerSecond: 'int32 5',
    totalItems: 'int64 6',
    countSinceLastMeasurement: 'int64 7',
    lastCheckpointedEventPosition: 'string 8',
    lastKnownEventPosition: 'string 9',
    resolveLinkTos: 'bool 10',
    startFrom: 'string 11',
    messageTimeoutMilliseconds: 'int32 12',
    extraStatistics: 'bool 13',
    maxRetryCount: 'int32 14',
    liveBufferSize: 'int32 15',
    bufferSize: 'int32 16',
    readBatchSize: 'int32 17',
    checkPointAfterMilliseconds: 'int32 18',
    minCheckPointCount: 'int32 19',
    maxCheckPointCount: 'int32 20',
    readBufferCount: 'int32 21',
    liveBufferCount: 'int64 22',
    retryBufferCount: 'int32 23',
    totalInFlightMessages: 'int32 24',
    outstandingMessagesCount: 'int32 25',
    namedConsumerStrategy: 'string 26',
    maxSubscriberCount: 'int32 27',
    parkedMessageCount: 'int64 28',
  },
  {},
  {
    ConnectionInfo: message({
      from: 'string 1',
      username: 'string 2',
      averageItemsPerSecond: 'int32 3',
      totalItems: 'int64 4',
      countSinceLastMeasurement: 'int64 5',
      observedMeasurements: 'repeated Measurement 6',
      availableSlots: 'int32 7',
      inFlightMessages: 'int32 8',
      connectionName: 'string 9',
    }),
    Measurement: message({ key: 'string 1', value: 'int64 2' }),
  },
);

const ofGroup = (fields: Readonly<Record<string, string>>, oneofs: Readonly<Record<string, readonly string[]>>) =>
  message({ options: 'Options 1' }, {}, { Options: message(fields, oneofs) });
const streamOrAll = { streamOption: ['streamIdentifier', 'all'] };

/** Package `event_store.client.persistent_subscriptions`. */
export const persistentSubscriptions = namespace({
  ReadReq: readRequest,
  ReadResp: readResponse,
  CreateReq: message(
    { options: 'Options 1' },
    {},
    {
      Options: message(groupOptions, { streamOption: ['stream', 'all'] }),
      StreamOptions: streamOptions,
      AllOptions: message(
        { ...allPosition, filter: 'FilterOptions 4', noFilter: 'Empty 5' },
        { allOption, filterOption: ['filter', 'noFilter'] },
        { FilterOptions: filterOptions() },
      ),
      Position: position,
      Settings: settings({ consumerStrategy: 'string 16' }),
      ConsumerStrategy: strategies,
    },
  ),
  CreateResp: message({}),
  UpdateReq: message(
    { options: 'Options 1' },
    {},
    {
      Options: message(groupOptions, { streamOption: ['stream', 'all'] }),
      StreamOptions: streamOptions,
      AllOptions: message(allPosition, { allOption }),
      Position: position,
      Settings: settings({}),
      ConsumerStrategy: strategies,
    },
  ),
  UpdateResp: message({}),
  DeleteReq: ofGroup({ streamIdentifier: 'StreamIdentifier 1', all: 'Empty 3', groupName: 'string 2' }, streamOrAll),
  DeleteResp: message({}),
  GetInfoReq: ofGroup({ streamIdentifier: 'StreamIdentifier 1', all: 'Empty 2', groupName: 'string 3' }, streamOrAll),
  GetInfoResp: message({ subscriptionInfo: 'SubscriptionInfo 1' }),
  SubscriptionInfo: subscriptionInfo,
  ReplayParkedReq: ofGroup(
    {
      groupName: 'string 1',
      streamIdentifier: 'StreamIdentifier 2',
      all: 'Empty 3',
      stopAt: 'int64 4',
      noLimit: 'Empty 5',
    },
    { ...streamOrAll, stopAtOption: ['stopAt', 'noLimit'] },
  ),
  ReplayParkedResp: message({}),
  ListReq: message(
    { options: 'Options 1' },
    {},
    {
      Options: message(
        { listAllSubscriptions: 'Empty 1', listForStream: 'StreamOption 2' },
        { listOption: ['listAllSubscriptions', 'listForStream'] },
      ),
      StreamOption: message({ stream: 'StreamIdentifier 1', all: 'Empty 2' }, { streamOption: ['stream', 'all'] }),
    },
  ),
  ListResp: message({ subscriptions: 'repeated SubscriptionInfo 1' }),
  PersistentSubscriptions: service({
    Create: 'CreateReq CreateResp',
    Update: 'UpdateReq UpdateResp',
    Delete: 'DeleteReq DeleteResp',
    Read: 'stream ReadReq stream ReadResp',
    GetInfo: 'GetInfoReq GetInfoResp',
    ReplayParked: 'ReplayParkedReq ReplayParkedResp',
    List: 'ListReq ListResp',
    RestartSubsystem: 'Empty Empty',
  }),
});
