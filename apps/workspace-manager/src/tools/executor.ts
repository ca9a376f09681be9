import { builtInTools, ToolName } from '#contracts';
import { messageOf } from '#platform';
import type { CallStart, HeldWorkspace, JournalledCall } from '../journal/entries.js';
import type { Journal } from '../journal/journal.js';
import { type Secrets, SecretUnavailable } from '../secrets/secrets.js';
import { type CallResult, resultOf } from './call-results.js';
import { type Began, type Conclusion, type Execution, notStarted, rejected, type ToolKind } from './tool-kind.js';

/** What a call came to, as it may be written down: no secret is in it. */
export type Settlement =
  | { readonly kind: 'finished'; readonly result: CallResult; readonly executions: number }
  | { readonly kind: 'unknown'; readonly reason: string; readonly executions: number }
  | { readonly kind: 'void' };

/** The contract's limit of a reason. */
const REASON_CHARACTERS = 2_000;

/** Gives each call to the kind of its tool, and takes secrets out of everything that comes back. */
export class Executor {
  constructor(
    private readonly kinds: readonly ToolKind[],
    private readonly journal: Journal,
    private readonly secrets: Secrets,
  ) {}

  /** What is wrong with the input of a call, for the model; undefined when nobody can tell now. */
  async check(tool: string, input: Execution['input'], held: HeldWorkspace): Promise<string | undefined> {
    const kind = this.kinds.find((one) => one.has(tool, held));
    if (kind === undefined) return `A workspace has no tool ${tool}.`;
    const fault = faultOf(tool, input) ?? (await kind.check?.(tool, input, held));
    return fault === undefined ? undefined : this.secrets.redactor(held.external.secrets).text(fault);
  }

  async execute(execution: Execution, began: Began): Promise<Settlement> {
    const { start, held } = execution;
    const carryOut = (): Promise<Conclusion> | Conclusion => {
      const kind = this.kinds.find((one) => one.has(start.tool, held));
      if (kind === undefined) return rejected(`A workspace has no tool ${start.tool}.`);
      const fault = faultOf(start.tool, execution.input);
      return fault === undefined ? kind.execute(execution, began) : rejected(fault);
    };
    return this.settle(start, held, carryOut);
  }

  /** Follows up a call that had not ended when the manager last did. */
  async resume(call: JournalledCall, began: Began): Promise<Settlement> {
    const held = this.journal.workspace(call.runId);
    const kind = held && this.kinds.find((one) => one.has(call.tool, held));
    // A tool that no kind knows was about to be refused.
    if (held === undefined || kind === undefined) return { kind: 'void' };
    return this.settle(call, held, () => kind.resume(call, began));
  }

  private async settle(
    start: CallStart,
    held: HeldWorkspace,
    carryOut: () => Promise<Conclusion> | Conclusion,
  ): Promise<Settlement> {
    const redactor = this.secrets.redactor(held.external.secrets);
    const conclusion = await this.concluded(carryOut);
    switch (conclusion.kind) {
      case 'finished':
        return { ...conclusion, result: resultOf(conclusion.result, redactor, start.outputBytes) };
      case 'collected':
        return { ...conclusion, kind: 'finished' };
      case 'unknown':
        return { ...conclusion, reason: redactor.text(conclusion.reason).slice(0, REASON_CHARACTERS) };
      case 'void':
        return conclusion;
    }
  }

  private async concluded(carryOut: () => Promise<Conclusion> | Conclusion): Promise<Conclusion> {
    try {
      return await carryOut();
    } catch (error) {
      if (error instanceof SecretUnavailable) return notStarted(messageOf(error));
      // Whether it took effect before it went wrong is not known here.
      return { kind: 'unknown', reason: messageOf(error), executions: 1 };
    }
  }
}

/** What is wrong with the input of a built-in tool. */
function faultOf(name: string, input: Execution['input']): string | undefined {
  const tool = ToolName.safeParse(name).data;
  const checked = tool === undefined ? undefined : builtInTools[tool].input.safeParse(input);
  if (checked === undefined || checked.success) return undefined;
  const faults = checked.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
  return `The input of ${name} is wrong: ${faults.join('; ')}.`;
}
