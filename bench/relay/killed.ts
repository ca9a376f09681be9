import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Ends a process that was started for a measurement, if it is still there. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
