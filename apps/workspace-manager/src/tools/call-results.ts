import type { BlobRef, CallOutcome, ResultBlock } from '#contracts';
import { MAX_OUTPUT_BYTES } from '../commands.js';
import type { BackgroundStopping } from '../journal/entries.js';
import type { Redactor } from '../secrets/redaction.js';
import { type Shown, shown } from './shown.js';

export interface Attachment {
  readonly bytes: Buffer;
  readonly mediaType: string;
  /** What a document is called. */
  readonly title?: string;
}

/** What a tool came to, before secrets are taken out and anything is cut. */
export interface RawResult {
  readonly outcome: CallOutcome;
  readonly output: Buffer;
  /** What Baton itself has to say about it; a line each, in brackets. */
  readonly notes: readonly string[];
  /** Images and documents that the model is shown as such. */
  readonly media?: readonly Attachment[];
  /** What is stored: the output where it is cut, unless something else is given. */
  readonly whole?: Attachment | 'not-kept';
}

/** A result as it is shown, and what is stored of it. */
export interface CallResult {
  readonly outcome: CallOutcome;
  readonly content: readonly ResultBlock[];
  /** What is still to be stored before it can be a part of the content. */
  readonly media: readonly Attachment[];
  readonly whole: Attachment | BlobRef | undefined;
}

export const rawResult = (outcome: CallOutcome, output: string | Buffer, notes: readonly string[] = []): RawResult => ({
  outcome,
  output: typeof output === 'string' ? Buffer.from(output) : output,
  notes,
});

/** How a command ended, as far as its result depends on it. */
export interface Ending {
  readonly status: number;
  readonly stopping: BackgroundStopping | undefined;
  readonly limitMs: number;
  readonly elapsedMs: number;
  readonly ranOutOfMemory: boolean;
  readonly diskMb: number;
}

/** 128 and SIGXFSZ: a file was to grow beyond its limit. */
const FILE_TOO_LARGE = 153;

/** The result of a command: its outcome, and its output with the notes that a person at a terminal would have. */
export function commandResult(output: Buffer, ending: Ending): RawResult {
  const outcome = outcomeOf(ending);
  const room = `the ${ending.diskMb} MiB that its files may take`;
  const notes = [
    ...(output.byteLength >= MAX_OUTPUT_BYTES
      ? [`output longer than ${MAX_OUTPUT_BYTES} bytes: the rest is lost`]
      : []),
    ...(ending.ranOutOfMemory ? ['the memory limit was reached and a process was killed'] : []),
    ...(outcome === 'timed-out' ? [`stopped at the time limit of ${ending.limitMs / 1_000} s`] : []),
    ...(ending.stopping === 'rested' ? ['stopped: the run rested, and nothing runs for long while it does'] : []),
    ...(ending.stopping === 'cancelled' && outcome === 'cancelled' ? ['stopped: the call was cancelled'] : []),
    ...(ending.stopping === 'disk-full' ? [`stopped: the workspace holds more than ${room}; remove some`] : []),
    ...(ending.status === FILE_TOO_LARGE ? [`a file could not grow: the workspace has reached ${room}`] : []),
    ...(ending.status === 0 ? [] : [`exit status ${ending.status}`]),
  ];
  return rawResult(outcome, output, notes);
}

/** What the text of a result may take as JSON, in bytes: the log and the bus take 1 MiB at once. */
const MOST_JSON_BYTES = 700_000;

/** Control characters take six times their room in JSON. */
function shownInJson(output: Buffer, limit: number): Shown {
  const found = shown(output, limit);
  return Buffer.byteLength(JSON.stringify(found.text)) > MOST_JSON_BYTES
    ? shownInJson(output, Math.floor(limit / 2))
    : found;
}

/** Takes secrets out, then keeps head and tail within `outputBytes`: cut first, half a secret would not be known as one. */
export function resultOf(
  { outcome, output, notes, whole, media: attached = [] }: RawResult,
  redactor: Redactor,
  outputBytes: number,
): CallResult {
  const safe = redactor.bytes(output);
  const { text, cut } = shownInJson(safe, outputBytes);
  const media = attached.filter(({ bytes }) => redactor.bytes(bytes).equals(bytes));
  const hidden = attached.length - media.length;
  const kept = hidden === 0 ? [] : [`${hidden} of ${attached.length} images and documents hold a secret: not shown`];
  const lines = [...notes, ...kept].map((note) => `[${redactor.text(note)}]`);
  const words = inWords(text, lines);
  const said = words === '' && media.length === 0 ? '(no output)' : words;
  const content = said === '' ? [] : [{ type: 'text' as const, text: said }];
  const result = { outcome, content, media };
  if (whole === 'not-kept') return { ...result, whole: undefined };
  if (whole !== undefined) return { ...result, whole: { ...whole, bytes: redactor.bytes(whole.bytes) } };
  return { ...result, whole: cut ? { bytes: safe, mediaType: 'text/plain; charset=utf-8' } : undefined };
}

const inWords = (text: string, lines: readonly string[]): string => {
  const gap = text === '' || text.endsWith('\n') || lines.length === 0 ? '' : '\n';
  return `${text}${gap}${lines.join('\n')}`;
};

/** A command that ended well just before it was to be stopped has ended well. */
function outcomeOf({ status, stopping, limitMs, elapsedMs }: Ending): CallOutcome {
  if (status === 0) return 'ok';
  if (stopping === 'disk-full') return 'error';
  if (stopping === 'rested') return 'cancelled';
  if (stopping !== undefined) return stopping;
  // No manager was there at the time limit, so the shim's own guard has struck: by KILL.
  return status === 137 && elapsedMs >= limitMs ? 'timed-out' : 'error';
}
