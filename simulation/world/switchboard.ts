import type { z } from 'zod';
import type { Process } from './world.js';

/** Who listens or answers on a subject; `*` stands for one token, `>` for the rest. */
export interface Listener {
  readonly process: Process;
  readonly subject: string;
  readonly schema: z.ZodType;
  readonly queue?: string | undefined;
  readonly hear: (body: never, subject: string) => unknown;
}

interface Listening extends Pick<Listener, 'process' | 'schema' | 'hear'> {
  readonly fits: (subject: string) => boolean;
}

/** The plain side of the bus: it remembers who listens, and nothing else. */
export class Switchboard {
  private readonly listeners = new Set<Listening>();
  private readonly answerers = new Set<Listening>();

  join(kind: 'listeners' | 'answerers', { process, subject, schema, hear }: Listener): () => void {
    const set = this[kind];
    const listening = { process, schema, hear, fits: fitting(subject) };
    set.add(listening);
    const leave = (): void => {
      set.delete(listening);
      process.onDeath.delete(leave);
    };
    process.onDeath.add(leave);
    return leave;
  }

  on(kind: 'listeners' | 'answerers', subject: string): Listening[] {
    return [...this[kind]].filter(({ fits }) => fits(subject));
  }
}

/** Whether a subject is one of these. */
function fitting(pattern: string): (subject: string) => boolean {
  if (!/[*>]/.test(pattern)) return (subject) => subject === pattern;
  const tokens = pattern.split('.').map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : escaped(token)));
  const form = new RegExp(`^${tokens.join('\\.')}$`);
  return (subject) => form.test(subject);
}

const escaped = (token: string): string => token.replaceAll(/[^\w]/g, String.raw`\$&`);
