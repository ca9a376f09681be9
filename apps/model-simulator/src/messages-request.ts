/** The part of the Messages API's request that the simulator knows; `checkRequest` makes sure of it. */
interface CacheControl {
  readonly type: 'ephemeral';
  readonly ttl?: '5m' | '1h';
}

export interface TextParam {
  readonly type: 'text';
  readonly text: string;
  readonly cache_control?: CacheControl | null;
}

interface ThinkingParam {
  readonly type: 'thinking';
  readonly thinking: string;
  readonly signature: string;
}

interface RedactedThinkingParam {
  readonly type: 'redacted_thinking';
  readonly data: string;
}

export interface ToolUseParam {
  readonly type: 'tool_use';
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly cache_control?: CacheControl | null;
}

export interface ToolResultParam {
  readonly type: 'tool_result';
  readonly tool_use_id: string;
  readonly content?: string | readonly TextParam[];
  readonly is_error?: boolean;
  readonly cache_control?: CacheControl | null;
}

export type BlockParam = TextParam | ThinkingParam | RedactedThinkingParam | ToolUseParam | ToolResultParam;

export interface MessageParam {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly BlockParam[];
}

export interface ToolParam {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: Readonly<Record<string, unknown>>;
  readonly cache_control?: CacheControl | null;
}

export interface MessagesRequest {
  readonly model: string;
  /** Absent only in requests to count tokens. */
  readonly max_tokens?: number;
  readonly messages: readonly MessageParam[];
  readonly system?: string | readonly TextParam[];
  readonly tools?: readonly ToolParam[];
  readonly stream?: boolean;
}

/** A message's content as blocks, whichever way it was written. */
export const blocksOf = ({ content }: MessageParam): readonly BlockParam[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/** The text of a tool's result. */
export function resultText({ content }: ToolResultParam): string {
  if (content === undefined) return '';
  return typeof content === 'string' ? content : content.map((block) => block.text).join('\n');
}
