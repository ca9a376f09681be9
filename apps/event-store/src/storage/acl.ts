/** What a caller may want of a stream; the two of metadata are asked of the stream that the metadata is about. */
export type StreamAction = 'read' | 'write' | 'delete' | 'metaRead' | 'metaWrite';

/** Who may do what: names of users and groups; an absent action is left to the default. */
export type Acl = Readonly<Partial<Record<StreamAction, readonly string[]>>>;

/** The ACL of a stream, or the name of the default that it wants to share. */
export type StreamAcl = Acl | '$userStreamAcl' | '$systemStreamAcl';

const KEYS: readonly (readonly [StreamAction, string])[] = [
  ['read', '$r'],
  ['write', '$w'],
  ['delete', '$d'],
  ['metaRead', '$mr'],
  ['metaWrite', '$mw'],
];

const only = (who: string): Acl => Object.fromEntries(KEYS.map(([action]) => [action, [who]]));

export const EVERYONE = only('$all');
export const ADMINS = only('$admins');

/** Reads `$acl` as it is written in metadata. What cannot be read opens nothing: then administrators alone may. */
export function streamAclOf(value: unknown): StreamAcl {
  return value === '$userStreamAcl' || value === '$systemStreamAcl' ? value : aclOf(value);
}

export function aclOf(value: unknown): Acl {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ADMINS;
  const written = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    KEYS.filter(([, key]) => written[key] !== undefined && written[key] !== null).map(([action, key]) => [
      action,
      rolesOf(written[key]),
    ]),
  );
}

function rolesOf(value: unknown): readonly string[] {
  const roles: readonly unknown[] = Array.isArray(value) ? value : [value];
  return roles.filter((role) => typeof role === 'string');
}
