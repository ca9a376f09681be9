import type { fromJSON } from '@grpc/proto-loader';

type Namespace = Parameters<typeof fromJSON>[0];
type Nested = NonNullable<Namespace['nested']>;
type Node = Nested[string];

/** Fields as `name: 'type number'`; `repeated` and `map<k,v>` as in a .proto file. */
type Fields = Readonly<Record<string, string>>;
/** Each entry names the fields of which at most one is present. */
type Oneofs = Readonly<Record<string, readonly string[]>>;

/** One message of the wire protocol, written down as compactly as in a .proto file. */
export function message(fields: Fields, oneofs: Oneofs = {}, nested: Nested = {}): Node {
  return {
    fields: Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, field(text)])),
    oneofs: Object.fromEntries(Object.entries(oneofs).map(([name, of]) => [name, { oneof: [...of] }])),
    nested,
  } as Node;
}

export const enumeration = (...names: readonly string[]): Node => ({
  values: Object.fromEntries(names.map((name, number) => [name, number])),
});

/** Methods as `name: 'Request Response'`, with `stream` before a streamed side. */
export function service(methods: Fields): Node {
  return {
    methods: Object.fromEntries(
      Object.entries(methods).map(([name, text]) => {
        const [, inStream, request, outStream, response] = /^(stream )?(\S+) (stream )?(\S+)$/.exec(text) ?? [];
        return [
          name,
          {
            requestType: request,
            responseType: response,
            requestStream: inStream !== undefined,
            responseStream: outStream !== undefined,
          },
        ];
      }),
    ),
  } as Node;
}

export const namespace = (nested: Nested): Node => ({ nested });

function field(text: string): object {
  const map = /^map<(\w+),(\w+)> (\d+)$/.exec(text);
  if (map) return { keyType: map[1], type: map[2], id: Number(map[3]) };
  const [, repeated, type, id] = /^(repeated )?(\S+) (\d+)$/.exec(text) ?? [];
  return { type, id: Number(id), ...(repeated ? { rule: 'repeated' } : {}) };
}
