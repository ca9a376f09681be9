import { writeFileSync } from 'node:fs';
import { hashPassword } from '../src/access/password.js';
import { userLine } from '../src/access/users-file.js';

/** Writes a users file; each user's password is `password of NAME`. */
export async function writeUsers(file: string, users: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const lines = Object.entries(users).map(async ([name, groups]) =>
    userLine({ name, groups, password: await hashPassword(passwordOf(name)) }),
  );
  writeFileSync(file, `# made by a test\n\n${(await Promise.all(lines)).join('\n')}\n`);
}

export const passwordOf = (name: string): string => `password of ${name}`;
