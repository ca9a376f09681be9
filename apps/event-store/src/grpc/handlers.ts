import type { Codec, Method } from '../protocol/codec.js';
import type { Call } from './call.js';
import { Malformed } from './framing.js';
import { invalid } from './refusal.js';

/** Serves one call from its beginning to its end. */
export type Handler = (call: Call) => void;
export type Handlers = ReadonlyMap<string, Handler>;

/** A message that cannot be decoded is the client's mistake. */
export function decode<T>(codec: Codec<T>, bytes: Buffer): T {
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw new Malformed(String(error));
  }
}

/** One request, one answer. */
export function unary<Request, Response extends object>(
  { request, response }: Method<Request, Response>,
  answer: (request: Request, call: Call) => Response | Promise<Response>,
): Handler {
  return single(request, async (message, call) => {
    call.send(response.encode(await answer(message, call)));
    call.finish();
  });
}

/** One request; the handler sends what it likes and finishes the call. */
export function single<Request>(
  codec: Codec<Request>,
  serve: (request: Request, call: Call) => Promise<void>,
): Handler {
  return (call) => {
    let first: Buffer | undefined;
    call.receive(
      (bytes) => {
        if (first) throw invalid('This call takes one message.');
        first = bytes;
      },
      () => {
        if (!first) throw invalid('This call needs a message.');
        serve(decode(codec, first), call).catch((error: unknown) => call.fail(error));
      },
    );
  };
}
