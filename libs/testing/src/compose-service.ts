import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const COMPOSE_FILE = fileURLToPath(new URL('../../../docker-compose.yml', import.meta.url));

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      command: z.array(z.string()).default([]),
      environment: z.record(z.string(), z.string()).default({}),
    }),
  ),
});
export type ComposeService = z.infer<typeof Compose>['services'][string];

/** `${NAME:-default}`, as Compose reads it. */
const VARIABLE = /\$\{(\w+):-([^}]*)\}/g;

/** A service as docker-compose.yml has it, which is the one place that names images. */
export function composeService(name: string, environment: NodeJS.ProcessEnv = process.env): ComposeService {
  const { services } = Compose.parse(parse(readFileSync(COMPOSE_FILE, 'utf8'), { merge: true }));
  const service = services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}.`);
  const image = service.image.replace(VARIABLE, (_, variable: string, other: string) => environment[variable] || other);
  return { ...service, image };
}
