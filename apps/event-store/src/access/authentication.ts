import { createHmac, randomBytes } from 'node:crypto';
import type { Caller } from '../grpc/call.js';
import { Refusal, Status } from '../grpc/refusal.js';
import { RecentMap } from '../storage/names.js';
import { ADMINISTRATOR, ANONYMOUS } from './access.js';
import { isPassword, unmatchable } from './password.js';
import type { Users } from './users-file.js';

/** Who calls, by the `authorization` header. @throws Refusal for credentials that are wrong */
export type Authenticate = (authorization: string | undefined) => Caller | Promise<Caller>;

const REMEMBERED = 1000;
/** Passwords that are checked or wait to be; each check costs a core some 100 ms and 32 MiB. */
const MOST_WAITING = 64;

export const everybodyIsAdministrator: Authenticate = () => ADMINISTRATOR;

/** Basic credentials against the users of a file. */
export function basicAuthentication(users: Users): Authenticate {
  const credentials = new Credentials(users);
  return (authorization) => (authorization === undefined ? ANONYMOUS : credentials.callerOf(authorization));
}

/** A check of scrypt for each call would be a hundred times the call: what was found once is remembered. */
class Credentials {
  // The key is of this process only: what is remembered says nothing about a password.
  private readonly key = randomBytes(32);
  private readonly found = new RecentMap<string, Caller | Refusal>(REMEMBERED);
  private readonly checks = new Map<string, Promise<Caller>>();
  private readonly nobody = unmatchable();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly users: Users) {}

  callerOf(authorization: string): Caller | Promise<Caller> {
    const digest = createHmac('sha256', this.key).update(authorization).digest('base64');
    const found = this.found.get(digest);
    if (found instanceof Refusal) throw found;
    if (found) return found;
    const running = this.checks.get(digest);
    if (running) return running;
    if (this.checks.size >= MOST_WAITING)
      throw new Refusal(Status.UNAVAILABLE, 'Too many passwords are being checked: try again.');
    const check = this.inTurn(() => this.check(authorization, digest)).finally(() => this.checks.delete(digest));
    this.checks.set(digest, check);
    return check;
  }

  /** One after the other: guessers wait for each other, and the threads that they would fill stay free. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async check(authorization: string, digest: string): Promise<Caller> {
    const [, encoded] = /^Basic +([A-Za-z0-9+/]*={0,2})$/i.exec(authorization) ?? [];
    if (encoded === undefined) throw refused('Only basic credentials are accepted.');
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(text) ?? [];
    const user = this.users.get(name);
    const right = await isPassword(password, user?.password ?? this.nobody);
    const outcome =
      right && user ? { name, roles: new Set(user.groups) } : refused('The name or the password is wrong.');
    this.found.set(digest, outcome);
    if (outcome instanceof Refusal) throw outcome;
    return outcome;
  }
}

const refused = (why: string): Refusal => new Refusal(Status.UNAUTHENTICATED, `Not authenticated: ${why}`);
