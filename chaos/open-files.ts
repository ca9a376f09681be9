import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Whether a process has a file below this folder open; it counts as having one when nobody can tell, as when it is gone. */
export function holdsOpen(pid: number, files: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => pathOf(join(folder, name)).startsWith(files));
  } catch {
    return true;
  }
}

function pathOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // It was closed between two looks.
    return '';
  }
}
