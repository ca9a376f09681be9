import { createRequire } from 'node:module';
import fc from 'fast-check';
import { gossip, serverFeatures } from './cluster.schema.js';
import { codecOf } from './codec.js';
import { persistentSubscriptions } from './persistent.schema.js';
import { google, shared } from './shared.schema.js';
import { streams } from './streams.schema.js';

/** A node of a schema: a message, an enumeration, a service or a namespace. */
interface Node {
  readonly fields?: Readonly<Record<string, Field>>;
  readonly oneofs?: Readonly<Record<string, { readonly oneof: readonly string[] }>>;
  readonly nested?: Readonly<Record<string, Node>>;
  readonly values?: Readonly<Record<string, number>>;
}
interface Field {
  readonly type: string;
  readonly rule?: 'repeated';
  readonly keyType?: string;
}

/** A message class that the client ships. */
interface Theirs {
  deserializeBinary(bytes: Uint8Array): { serializeBinary(): Uint8Array; toObject(): object };
}
type Generated = Readonly<Record<string, unknown>>;

const require = createRequire(import.meta.url);
const generated = (file: string) => require(`@eventstore/db-client/generated/${file}_pb.js`) as Generated;

const PACKAGES: readonly (readonly [name: string, ours: Node, theirs: Generated])[] = [
  ['event_store.client', { nested: shared as Record<string, Node> }, generated('shared')],
  ['event_store.client.streams', streams as Node, generated('streams')],
  ['event_store.client.persistent_subscriptions', persistentSubscriptions as Node, generated('persistent')],
  ['event_store.client.server_features', serverFeatures as Node, generated('serverfeatures')],
  ['event_store.client.gossip', gossip as Node, generated('gossip')],
  [
    'google.rpc',
    { nested: { Status: (google as Node).nested?.['rpc']?.nested?.['Status'] ?? {} } },
    generated('status'),
  ],
];

const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: fc.string({ unit: 'grapheme', maxLength: 20 }),
  bytes: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  bool: fc.boolean(),
  int32: fc.integer(),
  uint32: fc.nat(),
  int64: fc.maxSafeInteger().map(String),
  uint64: fc.maxSafeNat().map(String),
};

/** The first value of each enumeration. */
const FIRST_VALUES = ['Forwards', 'DispatchToSingle', 'Unknown', 'Initializing'];

/** Of the deadlines of a batch append the client knows the older, by the name that the newer has taken over since. */
const NEWER = ['deadline'];
const RENAMED: Readonly<Record<string, string>> = { deadline21100: 'deadline' };

/** Any value of a message: of each oneof at most one field. */
function anyOf(node: Node, scopes: readonly Node[]): fc.Arbitrary<Record<string, unknown>> {
  const inside = [node, ...scopes];
  const fields = Object.entries(node.fields ?? {});
  const exclusive = Object.values(node.oneofs ?? {}).map(({ oneof }) => oneof.filter((name) => !NEWER.includes(name)));
  const free = fields.filter(([name]) => !NEWER.includes(name) && !exclusive.some((names) => names.includes(name)));
  const arbitrary = (field: Field) => valueOf(field, inside);
  const alone = fc
    .record(Object.fromEntries(free.map(([name, field]) => [name, arbitrary(field)])), { requiredKeys: [] })
    .map((value) =>
      Object.fromEntries(Object.entries(value).filter(([name, one]) => !isDefault(one, node.fields?.[name]))),
    );
  const chosen = exclusive.map((names) =>
    fc.oneof(
      fc.constant({}),
      ...names.map((name) => arbitrary(node.fields?.[name] as Field).map((value) => ({ [name]: value }))),
    ),
  );
  return fc.tuple(alone, ...chosen).map((parts) => Object.assign({}, ...parts) as Record<string, unknown>);
}

/** Outside of a oneof a default is the same as nothing: we may send it, the client leaves it out. */
function isDefault(value: unknown, field: Field | undefined): boolean {
  if (field?.rule || field?.keyType) return false;
  if (Buffer.isBuffer(value)) return value.length === 0;
  return ['', '0', 0, false, ...FIRST_VALUES].includes(value as string);
}

function valueOf({ type, rule, keyType }: Field, scopes: readonly Node[]): fc.Arbitrary<unknown> {
  const one = SCALARS[type] ?? ofType(type, scopes);
  if (keyType)
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), one, { maxKeys: 3, noNullPrototype: true });
  return rule ? fc.array(one, { maxLength: 3 }) : one;
}

function ofType(type: string, scopes: readonly Node[]): fc.Arbitrary<unknown> {
  const path = type.split('.');
  const all = [...scopes, { nested: shared as Record<string, Node> }, { nested: { google: google as Node } }];
  for (const scope of all) {
    const found = path.reduce<Node | undefined>((node, name) => node?.nested?.[name], scope);
    if (found?.values) return fc.constantFrom(...Object.keys(found.values));
    if (found) return anyOf(found, scopes);
  }
  throw new Error(`${type} is not in the schema`);
}

const messages = PACKAGES.flatMap(([name, node, theirs]) =>
  Object.entries(node.nested ?? {})
    .filter(([, { fields }]) => fields)
    .map(([message, of]) => ({ name: `${name}.${message}`, of, scope: node, theirs: theirs[message] as Theirs })),
);

/** Names without case, since the client's are written in several ways; what is absent or a default is left out. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .map(([name, one]) => [name.toLowerCase(), plain(one)]),
  );
}

/** As `toObject` of the client's class writes ours: lists and maps have names of their own, enums are numbers. */
function asTheirs(value: Readonly<Record<string, unknown>>, node: Node, scopes: readonly Node[]): object {
  const inside = [node, ...scopes];
  const entries = Object.entries(value).flatMap(([name, one]): [string, unknown][] => {
    const field = node.fields?.[name];
    if (!field) return [];
    const convert = (item: unknown) => converted(item, field.type, inside);
    if (field.keyType) return [[`${name}Map`, Object.entries(one as object)]];
    if (field.rule) return [[`${name}List`, (one as unknown[]).map(convert)]];
    return [[RENAMED[name] ?? name, convert(one)]];
  });
  return Object.fromEntries(entries);
}

function converted(value: unknown, type: string, scopes: readonly Node[]): unknown {
  if (SCALARS[type]) return value;
  const path = type.split('.');
  const all = [...scopes, { nested: shared as Record<string, Node> }, { nested: { google: google as Node } }];
  for (const scope of all) {
    const found = path.reduce<Node | undefined>((node, name) => node?.nested?.[name], scope);
    if (found?.values) return found.values[value as string];
    if (found) return asTheirs(value as Record<string, unknown>, found, scopes);
  }
  return value;
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value) && value.every((one) => Array.isArray(one) && one.length === 2)
    ? value.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    : value;

function within(actual: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return actual === wanted;
  if (Array.isArray(wanted)) {
    const [a, b] = [sorted(actual), sorted(wanted)] as [unknown[], unknown[]];
    return Array.isArray(a) && a.length === b.length && b.every((one, index) => within(a[index], one));
  }
  return Object.entries(wanted).every(([name, one]) => within((actual as Record<string, unknown>)?.[name], one));
}

describe('the protocol', () => {
  it.each(messages)('$name is the message that the client speaks, both ways', ({ name, of, scope, theirs }) => {
    const codec = codecOf<object>(name);
    const property = fc.property(anyOf(of, [scope]), (value) => {
      const bytes = codec.encode(value);
      const ours = codec.decode(bytes);
      const read = theirs.deserializeBinary(bytes);
      expect(codec.decode(Buffer.from(read.serializeBinary()))).toEqual(ours);
      const [actual, wanted] = [plain(read.toObject()), plain(asTheirs(value, of, [scope]))];
      if (!within(actual, wanted)) expect(actual).toEqual(wanted);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it('knows every message of the services that it serves', () => {
    for (const [, node, theirs] of PACKAGES)
      expect(Object.keys(node.nested ?? {})).toEqual(
        expect.arrayContaining(Object.keys(theirs).filter((one) => one !== 'Code')),
      );
  });

  it('counts enumerations as the client does', () => {
    const walk = (node: Node, theirs: Generated): string[] =>
      Object.entries(node.nested ?? {}).flatMap(([name, one]) => {
        const other = theirs?.[name] as Generated;
        if (!one.values) return walk(one, other);
        const wanted = Object.entries(other).map(([key, value]) => `${key} ${String(value)}`);
        const named = Object.entries(one.values).map(([key, value]) => `${key.toUpperCase()} ${value}`);
        expect(named).toEqual(wanted);
        return [name];
      });
    const seen = PACKAGES.flatMap(([, node, theirs]) => walk(node, theirs));
    expect(seen.toSorted()).toEqual(['Action', 'ConsumerStrategy', 'ConsumerStrategy', 'ReadDirection', 'VNodeState']);
  });

  it('carries the largest numbers', () => {
    const codec = codecOf<object>('event_store.client.streams.ReadResp');
    const largest = { firstStreamPosition: '18446744073709551615' };
    const { ReadResp } = generated('streams') as unknown as { ReadResp: Theirs };
    expect(
      codec.decode(Buffer.from(ReadResp.deserializeBinary(codec.encode(largest)).serializeBinary())),
    ).toMatchObject(largest);
  });
});
