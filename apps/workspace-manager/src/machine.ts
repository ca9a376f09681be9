import { readFileSync } from 'node:fs';

/** Names this boot of the machine; another one means that no process of before is left. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
