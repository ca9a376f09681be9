import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../cluster/checkout.js';

const WALLS = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];

/** Whether bubblewrap can make a sandbox on this machine. */
export async function sandboxWorks(searchPath: string): Promise<boolean> {
  try {
    await promisify(execFile)(findProgram('bwrap', searchPath), [...WALLS, 'true'], { timeout: 10_000 });
    return true;
  } catch {
    // Not installed or not allowed: the workspace-manager, which tries it too, says which.
    return false;
  }
}
