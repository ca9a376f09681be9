import { readFileSync } from 'node:fs';

/** Whether a process lives, whoever started it. */
export function isThere(pid: number): boolean {
  try {
    // A dead process that nobody has waited for yet is still listed.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
