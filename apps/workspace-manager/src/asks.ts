import type { z } from 'zod';
import { AskCall, OpenWorkspace, ReadJournal, ReleaseWorkspace, RunCall, StopCall, workspaceSubject } from '#contracts';
import type { Workspaces } from './workspaces.js';

/** What the requests come by: the bus, as far as it is needed here. */
export interface Questions {
  answer<S extends z.ZodType>(
    subject: string,
    schema: S,
    handler: (body: z.output<S>, subject: string) => Promise<unknown>,
    options?: { readonly queue?: string; readonly atOnce?: number },
  ): unknown;
}

/** Callers that wait for the end of their calls cost next to nothing. */
const AT_ONCE = 10_000;

/** Answers to everything that can be asked of this manager; `open` goes to whichever manager is free. */
export function answerAsks(questions: Questions, holder: string, workspaces: Workspaces): void {
  const own = { atOnce: AT_ONCE };
  const at = (verb: string): string => workspaceSubject(holder, verb);
  questions.answer(OpenWorkspace.subject, OpenWorkspace.request, (ask) => workspaces.open(ask), {
    queue: 'workspace-manager',
  });
  questions.answer(at(RunCall.verb), RunCall.request, (ask) => workspaces.runCall(ask), own);
  questions.answer(at(AskCall.verb), AskCall.request, (ask) => workspaces.askCall(ask), own);
  questions.answer(at(StopCall.verb), StopCall.request, (ask) => workspaces.stopCall(ask), own);
  questions.answer(at(ReadJournal.verb), ReadJournal.request, async (ask) => workspaces.readJournal(ask), own);
  questions.answer(at(ReleaseWorkspace.verb), ReleaseWorkspace.request, (ask) => workspaces.release(ask), own);
}
