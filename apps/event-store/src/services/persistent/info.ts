import { type Handler, unary } from '../../grpc/handlers.js';
import { invalid } from '../../grpc/refusal.js';
import type { Consumer } from '../../persistent/consumer.js';
import type { Group } from '../../persistent/group.js';
import type { Groups } from '../../persistent/groups.js';
import { groupMissing } from '../../persistent/refusals.js';
import { methodOf } from '../../protocol/codec.js';
import { ALL } from '../../storage/wakeups.js';
import type { Store } from '../sink.js';
import { type Nothing, streamNameOf, type WireStream } from '../wire.js';
import { groupOf, type WireGroup } from './options.js';
import { SERVICE } from './service.js';

export const getInfo = (store: Store, groups: Groups): Handler =>
  unary(methodOf<{ options?: WireGroup }, object>(SERVICE, 'GetInfo'), ({ options = {} }, { caller }) => {
    store.access.requireUser(caller);
    const { stream, group } = groupOf(options);
    return { subscriptionInfo: infoOf(groups.get(stream, group)) };
  });

interface ListRequest {
  readonly options?: {
    readonly listAllSubscriptions?: Nothing;
    readonly listForStream?: { readonly stream?: WireStream; readonly all?: Nothing };
  };
}

/** Of one stream there must be a group; of all there may be none. */
export const list = (store: Store, groups: Groups): Handler =>
  unary(methodOf<ListRequest, object>(SERVICE, 'List'), ({ options = {} }, { caller }) => {
    store.access.requireUser(caller);
    if (options.listAllSubscriptions) return { subscriptions: groups.all().map(infoOf) };
    if (!options.listForStream) throw invalid('The request names neither a stream nor all subscriptions.');
    const stream = options.listForStream.all ? ALL : streamNameOf(options.listForStream.stream);
    const found = groups.all().filter(({ definition }) => definition.stream === stream);
    if (found.length === 0) throw groupMissing(stream, '');
    return { subscriptions: found.map(infoOf) };
  });

function infoOf(group: Group): object {
  const { definition, source, waiting, inFlight, parking } = group;
  const { checkpoint } = group.progress;
  const { settings } = definition;
  const { total, sinceLast, perSecond } = group.throughput.measure();
  const live = waiting.filter((message) => message.live).length;
  return {
    eventSource: definition.stream,
    groupName: definition.group,
    status: [group.live ? 'Live' : 'Behind', ...(parking.replaying ? ['ReplayingParkedMessages'] : [])].join(', '),
    connections: group.consumers.map((consumer) => connectionInfo(consumer, settings.extraStatistics)),
    averagePerSecond: perSecond,
    totalItems: String(total),
    countSinceLastMeasurement: String(sinceLast),
    lastCheckpointedEventPosition: checkpoint === undefined ? '' : source.textOf(checkpoint),
    lastKnownEventPosition: source.textOf(source.last()),
    resolveLinkTos: settings.resolveLinks,
    startFrom: definition.startFrom,
    messageTimeoutMilliseconds: settings.messageTimeoutMs,
    extraStatistics: settings.extraStatistics,
    maxRetryCount: settings.maxRetryCount,
    liveBufferSize: settings.liveBufferSize,
    bufferSize: settings.historyBufferSize,
    readBatchSize: settings.readBatchSize,
    checkPointAfterMilliseconds: settings.checkpointAfterMs,
    minCheckPointCount: settings.minCheckpointCount,
    maxCheckPointCount: settings.maxCheckpointCount,
    readBufferCount: waiting.length - live,
    liveBufferCount: String(live),
    retryBufferCount: group.retrying.length,
    totalInFlightMessages: inFlight.size,
    outstandingMessagesCount: inFlight.size,
    namedConsumerStrategy: settings.strategy,
    maxSubscriberCount: settings.maxSubscriberCount,
    parkedMessageCount: String(parking.count),
  };
}

function connectionInfo({ connection, throughput, latencies, inFlight }: Consumer, extra: boolean): object {
  const { total, sinceLast, perSecond } = throughput.measure();
  return {
    from: connection.from,
    username: connection.username,
    connectionName: connection.name,
    averageItemsPerSecond: perSecond,
    totalItems: String(total),
    countSinceLastMeasurement: String(sinceLast),
    observedMeasurements: extra ? latencies.figures().map(([key, ms]) => ({ key, value: String(ms) })) : [],
    availableSlots: connection.size - inFlight,
    inFlightMessages: inFlight,
  };
}
