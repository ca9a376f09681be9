import { hostname } from 'node:os';
import type { z } from 'zod';
import { AskService, momentOf, type ServiceAnswer, type ServiceName } from '#contracts';
import { batonVersion, type Clock } from '#platform';

/** Who answers, and what it knows of itself at the moment. */
export interface Presence {
  readonly service: ServiceName;
  readonly id: string;
  readonly clock: Clock;
  readonly facts?: () => Pick<ServiceAnswer, 'holds' | 'idleProcesses' | 'watch' | 'disk'>;
}

interface AnsweringBus {
  answer<S extends z.ZodType>(subject: string, schema: S, handler: (body: z.output<S>) => Promise<unknown>): unknown;
}

/** From now on this process answers when all services are asked who is there. */
export function answerPresence(bus: AnsweringBus, { service, id, clock, facts }: Presence): void {
  const startedAt = momentOf(clock.now());
  bus.answer(AskService.subject, AskService.request, async (): Promise<ServiceAnswer> => {
    const who = { service, id, version: batonVersion(), host: hostname(), pid: process.pid, startedAt };
    return { ...who, now: momentOf(clock.now()), ...facts?.() };
  });
}
