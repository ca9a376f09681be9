import { everybodyIsAdministrator } from '../../apps/event-store/src/access/authentication.js';
import type { Call } from '../../apps/event-store/src/grpc/call.js';
import { frame } from '../../apps/event-store/src/grpc/framing.js';
import { single } from '../../apps/event-store/src/grpc/handlers.js';
import { listen } from '../../apps/event-store/src/grpc/transport.js';
import { codecOf } from '../../apps/event-store/src/protocol/codec.js';
import { EventFrames } from '../../apps/event-store/src/protocol/event-frames.js';
import { supportedMethods } from '../../apps/event-store/src/services/cluster.js';
import { MEASURED } from './measured-event.js';

/*
 * A server that has its answers ready and keeps nothing: what the official client takes when its server costs next to
 * nothing. A subscription gets as many events as the argument says. It tells its port.
 */
const PAGE = 512;
const streams = 'event_store.client.streams';
const readResponse = codecOf<object>(`${streams}.ReadResp`);
const confirmation = frame(readResponse.encode({ confirmation: { subscriptionId: 'prepared' } }));
const caughtUp = frame(readResponse.encode({ caughtUp: {} }));
const event = {
  ...MEASURED,
  id: Buffer.alloc(16, 7),
  metadata: new Uint8Array(0),
  stream: 'prepared',
  revision: 70_000,
  position: 70_000,
  created: Date.now() * 1000,
};
const page = new EventFrames(false).encode(Array.from({ length: PAGE }, () => ({ event, position: event.position })));
const position = { commitPosition: '70000', preparePosition: '70000' };
const success = codecOf<object>(`${streams}.BatchAppendResp`).encode({
  success: { currentRevision: '70000', position },
});

/** The correlation id is the first field of request and answer alike, and shorter than 128 bytes. */
const batchAppend = (call: Call): void =>
  call.receive(
    (bytes) => void call.send(Buffer.concat([bytes.subarray(0, 2 + (bytes[1] ?? 0)), success])),
    () => call.finish(),
  );

const read = single(codecOf(`${streams}.ReadReq`), async (_, call) => {
  call.sendFrames(confirmation);
  for (let sent = 0; sent < Number(process.argv[2]) && !call.over; sent += PAGE) {
    call.sendFrames(page);
    await call.drained();
  }
  call.sendFrames(caughtUp);
});

const { port } = await listen({
  host: '127.0.0.1',
  port: 0,
  authenticate: everybodyIsAdministrator,
  http: () => ({ status: 404, headers: {}, body: '' }),
  handlers: new Map([
    ['/event_store.client.server_features.serverfeatures/getsupportedmethods', supportedMethods()],
    [`/${streams}.streams/batchappend`, batchAppend],
    [`/${streams}.streams/read`, read],
  ]),
});
process.send?.({ port });
process.once('disconnect', () => process.exit());
