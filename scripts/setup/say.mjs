/** Progress goes to stderr, so that a command's own output (`--json`) stays alone on stdout. */
export function say(sentence) {
  process.stderr.write(`set-up: ${sentence}\n`);
}

/** A set-up that cannot go on: its message is the one sentence that the person reads. */
export class SetupError extends Error {}
