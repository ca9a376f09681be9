import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

let known: string | undefined;

/** The version of this Baton, from the package.json that it is a part of. */
export const batonVersion = (): string => {
  known ??= readVersion(dirname(fileURLToPath(import.meta.url)));
  return known;
};

function readVersion(folder: string): string {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return readVersion(dirname(folder));
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}
