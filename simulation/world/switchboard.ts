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

/** The plain side of the bus: it remembers who listens, and nothing else. */
export class Switchboard {
  readonly listeners = new Set<Listener>();
  readonly answerers = new Set<Listener>();

  join(kind: 'listeners' | 'answerers', listener: Listener): () => void {
    const set = this[kind];
    set.add(listener);
    const leave = (): void => {
      set.delete(listener);
      listener.process.onDeath.delete(leave);
    };
    listener.process.onDeath.add(leave);
    return leave;
  }

  on(kind: 'listeners' | 'answerers', subject: string): Listener[] {
    return [...this[kind]].filter((listener) => fits(listener.subject, subject));
  }
}

function fits(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  if (!/[*>]/.test(pattern)) return false;
  const [wanted, given] = [pattern.split('.'), subject.split('.')];
  for (const [place, token] of wanted.entries()) {
    if (token === '>') return given.length > place;
    if (token !== '*' && token !== given[place]) return false;
  }
  return wanted.length === given.length;
}
