import type { ScriptedTurn } from '#contracts';

/** A call of a tool, as the model means it. */
export interface Call {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What is written instead of the input's JSON, when that is to be broken. */
  readonly written?: string;
}

/** What the model does in a turn. */
export interface Move {
  readonly thinking?: string | undefined;
  readonly redactedThinking?: string | undefined;
  readonly texts: readonly string[];
  readonly calls: readonly Call[];
  readonly stopReason?: ScriptedTurn['stopReason'];
}

export const says = (...texts: readonly string[]): Move => ({ texts, calls: [] });
