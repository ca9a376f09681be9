import { readFileSync, statfsSync } from 'node:fs';

/** Names this boot of the machine; another one means that no process of before is left. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

/** The room on the disk that holds a folder, in bytes. */
export function roomIn(folder: string): { readonly free: number; readonly total: number } {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { free: bavail * bsize, total: blocks * bsize };
}
