import { assemble } from '../src/assembly.js';
import type { Workspaces } from '../src/workspaces.js';
import { someParts } from './rig.js';

/** A manager in a process of its own that takes its requests over IPC, so that a test can kill it. */
const [folder = ''] = process.argv.slice(2);
const manager = await assemble(someParts(folder));

interface Question {
  readonly id: number;
  readonly operation: keyof Workspaces | 'tidy';
  readonly request: never;
}

process.on('message', ({ id, operation, request }: Question) => {
  const answer = async (): Promise<unknown> =>
    operation === 'tidy' ? manager.tidy() : manager.workspaces[operation](request);
  answer().then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: { ...(error as object), message: String(error) } }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
