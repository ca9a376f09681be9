import type { CallOutcome, TextBlock } from '#contracts';
import { MAX_OUTPUT_BYTES } from './commands.js';
import { shown } from './shown.js';

type Stopping = 'cancelled' | 'timed-out' | undefined;

/** A result as it is shown, and the whole of the output where that is more. */
export interface CallResult {
  readonly outcome: CallOutcome;
  readonly content: readonly TextBlock[];
  readonly whole: Buffer | undefined;
}

/** How a command ended, as far as its result depends on it. */
export interface Ending {
  readonly status: number;
  readonly stopping: Stopping;
  readonly limitMs: number;
  readonly elapsedMs: number;
  readonly ranOutOfMemory: boolean;
}

/** The result of a command: its outcome, and its output with the notes that a person at a terminal would have. */
export function commandResult(output: Buffer, ending: Ending, outputBytes: number): CallResult {
  const outcome = outcomeOf(ending);
  const notes = [
    ...(output.byteLength >= MAX_OUTPUT_BYTES
      ? [`output longer than ${MAX_OUTPUT_BYTES} bytes: the rest is lost`]
      : []),
    ...(ending.ranOutOfMemory ? ['the memory limit was reached and a process was killed'] : []),
    ...(outcome === 'timed-out' ? [`stopped at the time limit of ${ending.limitMs / 1_000} s`] : []),
    ...(outcome === 'cancelled' ? ['stopped: the call was cancelled'] : []),
    ...(ending.status === 0 ? [] : [`exit status ${ending.status}`]),
  ];
  return result(outcome, output, notes, outputBytes);
}

/** The result of any other call. */
export function result(
  outcome: CallOutcome,
  output: Buffer,
  notes: readonly string[],
  outputBytes: number,
): CallResult {
  const { text, cut } = shown(output, outputBytes);
  const lines = notes.map((note) => `[${note}]`);
  const body = text === '' && lines.length === 0 ? '(no output)' : text;
  const gap = body === '' || body.endsWith('\n') || lines.length === 0 ? '' : '\n';
  return {
    outcome,
    content: [{ type: 'text', text: `${body}${gap}${lines.join('\n')}` }],
    whole: cut ? output : undefined,
  };
}

/** A command that ended well just before it was to be stopped has ended well. */
function outcomeOf({ status, stopping, limitMs, elapsedMs }: Ending): CallOutcome {
  if (status === 0) return 'ok';
  if (stopping !== undefined) return stopping;
  // No manager was there at the time limit, so the shim's own guard has struck: by KILL.
  return status === 137 && elapsedMs >= limitMs ? 'timed-out' : 'error';
}
