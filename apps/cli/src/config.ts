import { z } from 'zod';
import { readConfig } from '#platform';

const Environment = z.object({
  BATON_DATA: z.string().default('.baton').describe('the data folder of the local cluster'),
  BATON_PORT: z.coerce
    .number('must be a port number')
    .int()
    .min(1, 'must be a port between 1 and 65535')
    .max(65_535, 'must be a port between 1 and 65535')
    .default(4700)
    .describe('where the gateway listens'),
  BATON_URL: z.url('must be an address such as https://baton.example.org').optional(),
  BATON_KEY: z.string().optional(),
  ANTHROPIC_API_KEY: z.string().optional(),
});

/** The settings that `baton` takes from environment variables. */
export type Environment = Readonly<z.infer<typeof Environment>>;

/** @throws Misconfigured with a sentence for each wrong variable. */
export const readEnvironment = (): Environment => readConfig(Environment);

/** All variables of this process, for the services that it starts. */
export const inheritedVariables = (): NodeJS.ProcessEnv => ({ ...process.env });

/** The folders in which the system looks for programs. */
export const searchPath = (): string => process.env['PATH'] ?? '';
