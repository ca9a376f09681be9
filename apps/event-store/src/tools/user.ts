import { parseArgs } from 'node:util';
import { Misconfigured } from '#platform';
import { hashPassword } from '../access/password.js';
import { isGroupName, isUserName, userLine } from '../access/users-file.js';
import { askPassword } from './ask-password.js';

/** Prints the line of a users file: `user NAME [--groups A,B]`, the password on standard input. */
export async function makeUser(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { groups: { type: 'string' } },
    allowPositionals: true,
  });
  const [name = '', ...more] = positionals;
  if (!isUserName(name) || more.length > 0)
    throw new Misconfigured(
      `${JSON.stringify(positionals.join(' '))} cannot be a user's name: it is one word without colon, comma, # and leading $.`,
    );
  const groups = values.groups?.split(',') ?? [];
  const wrong = groups.find((group) => !isGroupName(group));
  if (wrong !== undefined)
    throw new Misconfigured(
      `${JSON.stringify(wrong)} cannot be a group's name: name groups as in --groups $ops,accounting.`,
    );
  const password = await hashPassword(await askPassword(name));
  process.stdout.write(`${userLine({ name, groups, password })}\n`);
}
