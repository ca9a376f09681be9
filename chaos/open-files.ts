import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The files that a process holds open now, by their paths; none when it is gone. */
export function openFilesOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return unlessGone(() => readdirSync(folder), []).map((name) =>
    unlessGone(() => readlinkSync(join(folder, name)), ''),
  );
}

function unlessGone<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
