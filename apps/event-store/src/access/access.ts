import type { Caller } from '../grpc/call.js';
import { accessDenied, Refusal, Status } from '../grpc/refusal.js';
import { type Acl, ADMINS, aclOf, EVERYONE, type StreamAcl, type StreamAction } from '../storage/acl.js';
import { isMetastream, originalOf, type Policy, parsedObject } from '../storage/policy.js';
import type { Reader } from '../storage/reader.js';
import type { Streams } from '../storage/streams.js';

const SETTINGS = '$settings';

interface Defaults {
  readonly userStreams: Acl;
  readonly systemStreams: Acl;
}

const BUILT_IN: Defaults = { userStreams: EVERYONE, systemStreams: ADMINS };

/** Without users everybody is this one. */
export const ADMINISTRATOR: Caller = { name: 'admin', roles: new Set(['$admins']) };
/** Whoever gives no credentials where there are users. */
export const ANONYMOUS: Caller = { name: '', roles: new Set() };

const isAdministrator = ({ name, roles }: Caller): boolean => roles.has('$admins') || name === 'admin';

/**
 * Who may do what with which stream, when there are users.
 *
 * 1. Administrators may do everything but what nobody may: write or delete `$all`, delete metadata.
 * 2. Others may do what the stream's `$acl` says, else what `$settings` says, else what is built in: user streams are
 *    open to every user, system streams (`$...`, so `$all` too) to administrators only.
 * 3. Who gives no credentials gets at no stream, whatever the lists say.
 */
export class Access {
  private known: { readonly revision: number; readonly policy: Policy; readonly defaults: Defaults } | undefined;

  constructor(
    private readonly streams: Streams,
    private readonly reader: Reader,
    private readonly enforced: boolean,
  ) {}

  allows(caller: Caller, action: 'read' | 'write' | 'delete', stream: string): boolean {
    if (!this.enforced) return true;
    if (stream === '$all' && action !== 'read') return false;
    if (isMetastream(stream)) {
      if (action === 'delete') return false;
      return this.permits(caller, action === 'read' ? 'metaRead' : 'metaWrite', originalOf(stream));
    }
    return this.permits(caller, action, stream);
  }

  /** @throws Refusal */
  require(caller: Caller, action: 'read' | 'write' | 'delete', stream: string): void {
    if (!this.allows(caller, action, stream)) throw accessDenied();
  }

  /** For what is asked of the server, not of a stream: scavenges, backups, persistent subscriptions. @throws Refusal */
  requireOperator(caller: Caller): void {
    if (this.enforced && !isAdministrator(caller) && !caller.roles.has('$ops')) throw accessDenied();
  }

  /** @throws Refusal */
  requireUser(caller: Caller): void {
    if (this.enforced && caller === ANONYMOUS)
      throw new Refusal(Status.UNAUTHENTICATED, 'Only users may do this: give the name and password of one.');
  }

  private permits(caller: Caller, action: StreamAction, stream: string): boolean {
    if (isAdministrator(caller)) return true;
    if (caller === ANONYMOUS) return false;
    const roles = this.rolesFor(action, stream);
    return roles.some((role) => role === '$all' || role === caller.name || caller.roles.has(role));
  }

  private rolesFor(action: StreamAction, stream: string): readonly string[] {
    const system = stream.startsWith('$');
    const { userStreams, systemStreams } = this.defaults();
    const byDefault = system ? systemStreams : userStreams;
    const own = named(this.streams.get(stream).policy.acl, { userStreams, systemStreams });
    return own?.[action] ?? byDefault[action] ?? (system ? ADMINS : EVERYONE)[action] ?? [];
  }

  /** The newest event of `$settings`, read again only when the stream has changed. */
  private defaults(): Defaults {
    const state = this.streams.get(SETTINGS);
    const { last: revision, policy } = state;
    if (this.known?.revision !== revision || this.known.policy !== policy) {
      const [newest] = this.reader.readStream(state, revision, 'backwards', 1);
      this.known = { revision, policy, defaults: newest ? defaultsOf(newest.data) : BUILT_IN };
    }
    return this.known.defaults;
  }
}

function named(acl: StreamAcl | undefined, { userStreams, systemStreams }: Defaults): Acl | undefined {
  if (acl === '$userStreamAcl') return userStreams;
  return acl === '$systemStreamAcl' ? systemStreams : acl;
}

function defaultsOf(data: Uint8Array): Defaults {
  const settings = parsedObject(data);
  if (!settings) return { userStreams: ADMINS, systemStreams: ADMINS };
  const { $userStreamAcl: user, $systemStreamAcl: system } = settings;
  return {
    userStreams: user === undefined ? EVERYONE : aclOf(user),
    systemStreams: system === undefined ? ADMINS : aclOf(system),
  };
}
