/** Nobody reads faster than this, in milliseconds. */
const EVERY_MS = 40;

/** Hears a piece of the model's words in a turn. */
export type OnText = (turn: number, text: string) => void;

/**
 * Passes the model's words on in pieces of a moment each: a message for every word would cost the segment more than the
 * words are worth to a viewer. What a turn says in its last moment is not passed on: the turn itself, which the log
 * shows, comes first.
 */
export function liveText(pass: OnText): OnText {
  let waiting = { turn: 0, text: '' };
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    timer = undefined;
    pass(waiting.turn, waiting.text);
    waiting = { turn: waiting.turn, text: '' };
  };
  return (turn, text) => {
    waiting = turn === waiting.turn ? { turn, text: waiting.text + text } : { turn, text };
    timer ??= setTimeout(send, EVERY_MS).unref();
  };
}
