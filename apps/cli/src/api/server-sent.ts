/** One message of a stream of Server-Sent Events. */
export interface ServerSent {
  readonly event: string;
  readonly data: string;
}

/** Reads the messages out of a body; what is cut off at its end is left out, as the standard says. */
export async function* serverSent(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const messages = text.split(/\r?\n\r?\n/);
    text = messages.pop() ?? '';
    for (const message of messages) {
      const sent = readMessage(message);
      if (sent.data !== '') yield sent;
    }
  }
}

function readMessage(message: string): ServerSent {
  const fields = (name: string): readonly string[] =>
    message
      .split(/\r?\n/)
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ''));
  return { event: fields('event').at(-1) ?? 'message', data: fields('data').join('\n') };
}
