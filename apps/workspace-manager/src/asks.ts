import type { z } from 'zod';
import {
  AskCall,
  CheckCall,
  DiscoverTools,
  OpenWorkspace,
  ProbeCall,
  ReadJournal,
  RunCall,
  StopCall,
  WorkspaceHere,
  workspaceSubject,
} from '#contracts';
import type { HealthCheck } from '#platform';
import type { Workspaces } from './workspaces.js';

/** What the requests come by: the bus, as far as it is needed here. */
export interface RequestBus {
  answer<S extends z.ZodType>(
    subject: string,
    schema: S,
    handler: (body: z.output<S>, subject: string) => Promise<unknown>,
    options?: { readonly queue?: string; readonly atOnce?: number },
  ): unknown;
  emit(subject: string, body: unknown): void;
  /** Calls whenever the bus was lost and is there again. */
  onFound(listener: () => void): void;
  /** Hears no more requests, and resolves when those at work are answered. */
  drain(): Promise<void>;
  close(): Promise<void>;
  health(): HealthCheck;
}

/** Callers that wait for the end of their calls cost next to nothing. */
const AT_ONCE = 10_000;

/** Answers to everything that can be asked of this manager, and says so; `open` goes to whichever manager is free. */
export function answerAsks(bus: RequestBus, holder: string, workspaces: Workspaces): void {
  const own = { atOnce: AT_ONCE };
  const at = (verb: string): string => workspaceSubject(holder, verb);
  bus.answer(OpenWorkspace.subject, OpenWorkspace.request, (ask) => workspaces.open(ask), {
    queue: 'workspace-manager',
  });
  bus.answer(at(RunCall.verb), RunCall.request, (ask) => workspaces.runCall(ask), own);
  bus.answer(at(AskCall.verb), AskCall.request, (ask) => workspaces.askCall(ask), own);
  bus.answer(at(CheckCall.verb), CheckCall.request, (ask) => workspaces.checkCall(ask), own);
  bus.answer(at(StopCall.verb), StopCall.request, (ask) => workspaces.stopCall(ask), own);
  bus.answer(at(DiscoverTools.verb), DiscoverTools.request, (ask) => workspaces.discoverTools(ask), own);
  bus.answer(at(ProbeCall.verb), ProbeCall.request, (ask) => workspaces.probeCall(ask), own);
  bus.answer(at(ReadJournal.verb), ReadJournal.request, async (ask) => workspaces.readJournal(ask), own);
  const here = (): void => bus.emit(`${WorkspaceHere.subject}.${holder}`, { holder });
  bus.onFound(here);
  here();
}
