/** The part of the Messages API's request that the simulator knows; `checkRequest` makes sure of it. */
interface CacheControl {
  readonly type: 'ephemeral';
  readonly ttl?: '5m' | '1h';
}

interface Cacheable {
  readonly cache_control?: CacheControl | null;
}

export interface TextParam extends Cacheable {
  readonly type: 'text';
  readonly text: string;
}

export interface ThinkingParam {
  readonly type: 'thinking';
  readonly thinking: string;
  readonly signature: string;
}

export interface RedactedThinkingParam {
  readonly type: 'redacted_thinking';
  readonly data: string;
}

export interface ToolUseParam extends Cacheable {
  readonly type: 'tool_use';
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

interface MediaSource {
  readonly type: 'base64' | 'text';
  readonly media_type: string;
  readonly data: string;
}

export interface MediaParam extends Cacheable {
  readonly type: 'image' | 'document';
  readonly source: MediaSource;
}

export interface ToolResultParam extends Cacheable {
  readonly type: 'tool_result';
  readonly tool_use_id: string;
  readonly content?: string | readonly (TextParam | MediaParam)[];
  readonly is_error?: boolean;
}

export type BlockParam =
  | TextParam
  | ThinkingParam
  | RedactedThinkingParam
  | ToolUseParam
  | ToolResultParam
  | MediaParam;

export interface MessageParam {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly BlockParam[];
}

export interface ToolParam extends Cacheable {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: Readonly<Record<string, unknown>>;
}

/** How the model is to think, as far as the simulator plays it. */
export type ThinkingConfig =
  | { readonly type: 'enabled'; readonly budget_tokens: number; readonly display?: 'summarized' | 'omitted' | null }
  | { readonly type: 'adaptive'; readonly display?: 'summarized' | 'omitted' | null }
  | { readonly type: 'disabled' };

export interface MessagesRequest {
  readonly model: string;
  /** Absent only in requests to count tokens. */
  readonly max_tokens?: number;
  readonly messages: readonly MessageParam[];
  readonly system?: string | readonly TextParam[];
  readonly tools?: readonly ToolParam[];
  readonly stream?: boolean;
  readonly thinking?: ThinkingConfig | null;
}

/** A message's content as blocks, whichever way it was written. */
export const blocksOf = ({ content }: MessageParam): readonly BlockParam[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/** The text of a tool's result. */
export function resultText({ content }: ToolResultParam): string {
  if (content === undefined) return '';
  if (typeof content === 'string') return content;
  return content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
}
