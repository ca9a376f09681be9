import type { z } from 'zod';
import { EventMetadata, type RunEvent, runEventSchemas } from '#contracts';

/*
 * Reading an event is a pure function of what the log holds, and every process of a world reads the same few hundred
 * events: each is checked once by the real schema, and the answer is remembered by the very object that the log holds.
 */

type Parsed<T> = z.ZodSafeParseResult<T>;

export function rememberSchemas(): void {
  const schemas = runEventSchemas as Map<string, z.ZodType<RunEvent>>;
  for (const [type, schema] of schemas) {
    const known = new WeakMap<object, Parsed<RunEvent>>();
    const safeParse = (event: unknown): Parsed<RunEvent> => {
      const { data } = event as { readonly data: object };
      const before = known.get(data);
      if (before) return before;
      const parsed = schema.safeParse(event);
      known.set(data, parsed);
      return parsed;
    };
    schemas.set(type, Object.assign(Object.create(schema), { safeParse }));
  }
  const check = EventMetadata.safeParse.bind(EventMetadata);
  const known = new WeakMap<object, Parsed<z.infer<typeof EventMetadata>>>();
  Object.assign(EventMetadata, {
    safeParse: (metadata: object) => {
      const before = known.get(metadata) ?? check(metadata);
      known.set(metadata, before);
      return before;
    },
  });
}

const read = new WeakMap<z.ZodType, WeakMap<object, unknown>>();

/** The body as the schema has it; of one that many hear, as it was read the first time. @throws ZodError */
export function readOnce<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  if (typeof body !== 'object' || body === null) return schema.parse(body);
  const bodies = read.get(schema) ?? new WeakMap<object, unknown>();
  read.set(schema, bodies);
  if (!bodies.has(body)) bodies.set(body, schema.parse(body));
  return bodies.get(body) as z.output<S>;
}
