import { invalid } from './api-error.js';
import { checkBlock, checkCacheControl, checkText } from './block-check.js';
import { checkConversation } from './conversation-check.js';
import {
  checkBoolean,
  checkCount,
  checkFields,
  checkPattern,
  checkString,
  type Fields,
  isFields,
} from './field-check.js';
import { type BlockParam, blocksOf, type MessagesRequest } from './messages-request.js';
import { checkThinking, checkThoughts } from './thinking-check.js';

/** What the answer is for: a message, or only the count of its input tokens. */
export type Endpoint = 'messages' | 'count_tokens';

/** The versions of the API; the newer one has no sampling parameters any more. */
export const API_VERSIONS = ['2023-06-01', '2026-10-21'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

const IGNORED = ['metadata', 'service_tier', 'inference_geo', 'speed', 'diagnostics'];
const READ = [
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'stream',
  'tool_choice',
  'thinking',
  'output_config',
];
const NOT_PLAYED = ['container', 'stop_sequences', 'cache_control'];
const SAMPLING = ['temperature', 'top_p', 'top_k'];
const KNOWN = new Set([...IGNORED, ...READ, ...NOT_PLAYED]);
const KNOWN_BEFORE = new Set([...KNOWN, ...SAMPLING]);
const MESSAGE = new Set(['role', 'content']);
const TOOL = new Set(['name', 'description', 'input_schema', 'cache_control', 'type', 'strict', 'input_examples']);
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const MAX_CACHE_CONTROLS = 4;
const MAX_OUTPUT_TOKENS = 128_000;
const top = (name: string) => () => name;

/**
 * Checks a request's body as strictly as the API does; the sentences name the field as the API's do.
 * @throws ApiError 400
 */
export function checkRequest(body: unknown, endpoint: Endpoint, version: ApiVersion): MessagesRequest {
  const request = checkFields(body, version === '2026-10-21' ? KNOWN : KNOWN_BEFORE, top(''));
  checkString(request.model, top('model'));
  if (request.model === '') throw invalid('model: String should have at least 1 character');
  if (endpoint === 'messages') checkMaxTokens(request.max_tokens);
  checkBoolean(request.stream, top('stream'));
  checkSampling(request);
  checkThinking(request);
  checkSystem(request.system);
  checkTools(request.tools);
  checkMessages(request.messages);
  checkPlayable(request);
  const checked = request as unknown as MessagesRequest;
  checkConversation(checked.messages, checked.tools);
  checkThoughts(checked.messages, checked.thinking);
  checkCacheControls(checked);
  return checked;
}

function checkMaxTokens(maxTokens: unknown): void {
  checkCount(maxTokens, 1, top('max_tokens'));
  if (maxTokens <= MAX_OUTPUT_TOKENS) return;
  throw invalid(
    `max_tokens: ${maxTokens} > ${MAX_OUTPUT_TOKENS}, which is the maximum allowed number of output tokens`,
  );
}

function checkSampling({ temperature, top_p: topP, top_k: topK }: Fields): void {
  for (const [name, value] of [
    ['temperature', temperature],
    ['top_p', topP],
  ] as const) {
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number') throw invalid(`${name}: Input should be a valid number`);
    if (value < 0 || value > 1) throw invalid(`${name}: range: 0..1`);
  }
  if (topK !== undefined && topK !== null) checkCount(topK, 0, top('top_k'));
}

function checkSystem(system: unknown): void {
  if (system === undefined || typeof system === 'string') return;
  if (!Array.isArray(system)) throw invalid('system: Input should be a valid list');
  system.forEach((block, index) => checkText(block, () => `system.${index}`));
}

function checkTools(tools: unknown): void {
  if (tools === undefined) return;
  if (!Array.isArray(tools)) throw invalid('tools: Input should be a valid list');
  const names = new Set<unknown>();
  tools.forEach((tool: unknown, index) => {
    const {
      name,
      type,
      description,
      input_schema: schema,
      cache_control: cache,
    } = checkFields(tool, TOOL, () => `tools.${index}`);
    if (type !== undefined && type !== null && type !== 'custom')
      throw invalid(`tools.${index}: the model simulator has no tool of type ${JSON.stringify(type)}`);
    checkPattern(name, TOOL_NAME, () => `tools.${index}.custom.name`);
    if (description !== undefined) checkString(description, () => `tools.${index}.custom.description`);
    if (!isFields(schema)) throw invalid(`tools.${index}.custom.input_schema: Field required`);
    if (schema.type !== 'object') throw invalid(`tools.${index}.custom.input_schema.type: Input should be 'object'`);
    checkCacheControl(cache, () => `tools.${index}.custom`);
    if (names.has(name)) throw invalid('tools: Tool names must be unique.');
    names.add(name);
  });
}

function checkMessages(messages: unknown): void {
  if (messages === undefined) throw invalid('messages: Field required');
  if (!Array.isArray(messages)) throw invalid('messages: Input should be a valid list');
  if (messages.length === 0) throw invalid('messages: at least one message is required');
  messages.forEach((message: unknown, index) => {
    const { role, content } = checkFields(message, MESSAGE, () => `messages.${index}`);
    if (role !== 'user' && role !== 'assistant')
      throw invalid(`messages.${index}.role: Input should be 'user' or 'assistant'`);
    if (typeof content === 'string') return checkText({ type: 'text', text: content }, () => `messages.${index}`);
    if (!Array.isArray(content)) throw invalid(`messages.${index}.content: Input should be a valid list`);
    if (content.length === 0) throw invalid(`messages.${index}: ${role} messages must have non-empty content`);
    content.forEach((block, place) => checkBlock(block, role, () => `messages.${index}.content.${place}`));
  });
}

/** Whatever would change a real model's answer and is not played is refused, never silently passed over. */
function checkPlayable({ tool_choice: choice, ...rest }: Fields): void {
  for (const name of NOT_PLAYED) {
    if (rest[name] !== undefined && rest[name] !== null)
      throw invalid(`${name}: the model simulator does not play this`);
  }
  if (isFields(choice) && choice.type !== 'auto')
    throw invalid("tool_choice: the model simulator plays only {type: 'auto'}");
}

function checkCacheControls({ system, tools, messages }: MessagesRequest): void {
  const found =
    marked(tools ?? []) +
    (typeof system === 'object' ? marked(system) : 0) +
    messages.reduce(
      (count, message) => count + marked(blocksOf(message).flatMap((block) => [block, ...inside(block)])),
      0,
    );
  if (found > MAX_CACHE_CONTROLS) {
    throw invalid(`A maximum of ${MAX_CACHE_CONTROLS} blocks with cache_control may be provided. Found ${found}.`);
  }
}

/** What a tool's result holds may be marked, too. */
const inside = (block: BlockParam): readonly object[] =>
  block.type === 'tool_result' && typeof block.content === 'object' ? block.content : [];

const marked = (blocks: readonly object[]): number =>
  blocks.reduce((count, block) => count + ('cache_control' in block && block.cache_control ? 1 : 0), 0);
