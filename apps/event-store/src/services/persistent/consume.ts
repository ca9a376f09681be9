import type { Call } from '../../grpc/call.js';
import { decode, type Handler } from '../../grpc/handlers.js';
import { accessDenied, invalid } from '../../grpc/refusal.js';
import type { Connection, Consumer } from '../../persistent/consumer.js';
import type { Group, Nack } from '../../persistent/group.js';
import type { Groups } from '../../persistent/groups.js';
import { groupId } from '../../persistent/names.js';
import { methodOf } from '../../protocol/codec.js';
import type { Delivered } from '../../protocol/event-frames.js';
import { uuidText } from '../../storage/event.js';
import { delivery } from '../read-event.js';
import type { Store } from '../sink.js';
import { type Nothing, recordedMessage, uuidOf, type WireUuid } from '../wire.js';
import { groupOf, type WireGroup } from './options.js';
import { SERVICE } from './service.js';

interface ReadOptions extends WireGroup {
  /** How many events the consumer takes before it has settled the first. */
  readonly bufferSize?: number;
  readonly uuidOption?: { readonly structured?: Nothing };
}

interface ReadRequest {
  readonly options?: ReadOptions;
  readonly ack?: { readonly ids?: readonly WireUuid[] };
  readonly nack?: { readonly ids?: readonly WireUuid[]; readonly action?: Nack; readonly reason?: string };
}

const { request, response } = methodOf<ReadRequest, object>(SERVICE, 'Read');

/** A consumer: names its group first, then settles what it gets. */
export function read(store: Store, groups: Groups): Handler {
  return (call) => {
    let joined: { group: Group; consumer: Consumer } | undefined;
    call.receive(
      (bytes) => {
        const message = decode(request, bytes);
        if (joined) settle(joined.group, joined.consumer, message);
        else joined = join({ store, groups, call }, message.options);
      },
      () => call.finish(),
    );
    call.signal.addEventListener('abort', () => joined?.group.disconnect(joined.consumer), { once: true });
  };
}

function join({ store, groups, call }: Joining, options: ReadOptions | undefined) {
  if (!options) throw invalid('The first message must name the subscription group.');
  const { bufferSize = 0 } = options;
  if (bufferSize <= 0) throw invalid(`The buffer size is ${bufferSize}: it must be positive.`);
  const { stream, group: name } = groupOf(options);
  store.access.require(call.caller, 'read', stream);
  const group = groups.get(stream, name);
  const consumer = group.connect(connectionOf({ store, group, call }, options, bufferSize));
  call.send(response.encode({ subscriptionConfirmation: { subscriptionId: groupId(stream, name) } }));
  return { group, consumer };
}

interface Joining {
  readonly store: Store;
  readonly groups: Groups;
  readonly call: Call;
}

interface Joined {
  readonly store: Store;
  readonly group: Group;
  readonly call: Call;
}

function connectionOf({ store, group, call }: Joined, { uuidOption }: ReadOptions, size: number): Connection {
  const { resolveLinks } = group.definition.settings;
  const { stream } = group.definition;
  const mayRead = (one: string) => store.access.allows(call.caller, 'read', one);
  const deliver = delivery(store.reader, { resolveLinks, mayRead });
  const structured = uuidOption?.structured !== undefined;
  return {
    from: call.peer,
    username: call.caller.name,
    name: String(call.headers['connection-name'] ?? ''),
    size,
    send: ({ event, retries }) => {
      // Lists change while a consumer is connected.
      if (mayRead(stream)) return call.send(response.encode({ event: readEvent(deliver(event), retries, structured) }));
      call.fail(accessDenied());
      return true;
    },
    drained: () => call.drained(),
    end: (reason) => call.fail(reason),
  };
}

function readEvent({ event, link, position }: Delivered, retryCount: number, structured: boolean): object {
  return {
    ...(event ? { event: recordedMessage(event, structured) } : {}),
    ...(link ? { link: recordedMessage(link, structured) } : {}),
    commitPosition: String(position),
    retryCount,
  };
}

function settle(group: Group, consumer: Consumer, { options, ack, nack }: ReadRequest): void {
  if (options) throw invalid('The subscription group is named already.');
  if (ack) group.acknowledge(idsOf(ack.ids));
  if (nack) {
    const { action = 'Unknown', reason = '' } = nack;
    group.refuse(consumer, idsOf(nack.ids), { action, reason });
  }
}

const idsOf = (ids: readonly WireUuid[] = []): string[] => ids.map((id) => uuidText(uuidOf(id)));
