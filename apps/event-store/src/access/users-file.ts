import { readFileSync } from 'node:fs';
import { Misconfigured, messageOf } from '#platform';
import { hashText, type PasswordHash, readHash } from './password.js';

/** One who may sign in. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly password: PasswordHash;
}

export type Users = ReadonlyMap<string, User>;

const NAME = /^[^\s:#,\p{Cc}]{1,128}$/u;
const NO_GROUPS = '-';

export const isGroupName = (text: string): boolean => NAME.test(text) && text !== NO_GROUPS;
/** With `$` begin the groups that the server knows: a user of that name would pass for the group. */
export const isUserName = (text: string): boolean => isGroupName(text) && !text.startsWith('$');

/** One line of the file: the name, the groups with commas between them, and the hash of the password. */
export function userLine({ name, groups, password }: User): string {
  return `${name} ${groups.join(',') || NO_GROUPS} ${hashText(password)}`;
}

/** @throws Misconfigured, which names the line. */
export function readUsers(file: string): Users {
  const users = new Map<string, User>();
  contentOf(file)
    .split(/\r?\n/)
    .forEach((line, index) => {
      if (/^\s*(#|$)/.test(line)) return;
      const where = `The users file ${file}, line ${index + 1}`;
      const user = userOf(line, where);
      if (users.has(user.name))
        throw new Misconfigured(`${where}: ${user.name} is there already; keep one of the two.`);
      users.set(user.name, user);
    });
  if (users.size === 0)
    throw new Misconfigured(`The users file ${file} has no user: make one with \`baton event-store user NAME\`.`);
  return users;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Misconfigured(`The users file ${file} cannot be read (${messageOf(error)}).`);
  }
}

function userOf(line: string, where: string): User {
  const [name = '', groups = '', hash = '', ...more] = line.trim().split(/\s+/);
  if (!hash || more.length > 0)
    throw new Misconfigured(
      `${where}: it must be a name, groups (or -) and a password hash, as \`baton event-store user NAME\` prints them.`,
    );
  if (!isUserName(name)) throw new Misconfigured(`${where}: ${JSON.stringify(name)} cannot be a user's name.`);
  const password = readHash(hash);
  if (!password)
    throw new Misconfigured(
      `${where}: the password of ${name} is no hash of \`baton event-store user\`; a password is never written in clear.`,
    );
  return { name, groups: groups === NO_GROUPS ? [] : groupsOf(groups, where), password };
}

function groupsOf(text: string, where: string): readonly string[] {
  const groups = text.split(',');
  const wrong = groups.find((group) => !isGroupName(group));
  if (wrong === undefined) return groups;
  throw new Misconfigured(`${where}: ${JSON.stringify(wrong)} cannot be a group's name.`);
}
