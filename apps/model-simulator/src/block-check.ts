import { invalid } from './api-error.js';
import {
  checkBoolean,
  checkFields,
  checkPattern,
  checkString,
  type Fields,
  isFields,
  type Place,
} from './field-check.js';
import { checkDocument, checkImage } from './media-check.js';
import { isOurs, signatureOf } from './thinking-signature.js';

const TEXT = new Set(['type', 'text', 'cache_control', 'citations']);
const TOOL_USE = new Set(['type', 'id', 'name', 'input', 'cache_control', 'caller', 'toolset_name']);
const TOOL_RESULT = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control', 'toolset_name']);
const THINKING = new Set(['type', 'thinking', 'signature']);
const REDACTED = new Set(['type', 'data']);
const IMAGE = new Set(['type', 'source', 'cache_control', 'transformations']);
const DOCUMENT = new Set(['type', 'source', 'cache_control', 'citations', 'context', 'title']);
const CACHE_CONTROL = new Set(['type', 'ttl']);
const NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const ID = /^[a-zA-Z0-9_-]+$/;

/** Asserts one content block of a message. */
export function checkBlock(block: unknown, role: 'user' | 'assistant', place: Place): void {
  if (!isFields(block)) throw invalid(`${place()}: Input should be an object`);
  switch (block.type) {
    case 'text':
      return checkText(block, place);
    case 'tool_use':
      return only('assistant', role, block, place, checkToolUse);
    case 'tool_result':
      return only('user', role, block, place, checkToolResult);
    case 'thinking':
      return only('assistant', role, block, place, checkThinking);
    case 'redacted_thinking':
      return only('assistant', role, block, place, checkRedacted);
    case 'image':
    case 'document':
      return only('user', role, block, place, checkMedia);
    case undefined:
      throw invalid(`${place()}.type: Field required`);
    default:
      throw invalid(
        `${place()}: the model simulator does not read blocks of type ${JSON.stringify(block.type)}; ` +
          'it reads text, image, document, tool_use, tool_result, thinking and redacted_thinking',
      );
  }
}

/** Asserts a text block, in a message, in `system` or in a tool's result. */
export function checkText(block: unknown, place: Place): void {
  const { type, text, cache_control: cache, citations } = checkFields(block, TEXT, place);
  if (type !== 'text') throw invalid(`${place()}.type: Input should be 'text'`);
  checkString(text, () => `${place()}.text`);
  if (text === '') throw invalid(`${place()}: text content blocks must be non-empty`);
  if (!/\S/.test(text)) throw invalid(`${place()}: text content blocks must contain non-whitespace text`);
  if (Array.isArray(citations) && citations.length > 0)
    throw invalid(`${place()}.citations: the model simulator does not read citations`);
  checkCacheControl(cache, place);
}

export function checkCacheControl(cache: unknown, place: Place): void {
  if (cache === undefined || cache === null) return;
  const { type, ttl } = checkFields(cache, CACHE_CONTROL, () => `${place()}.cache_control`);
  if (type !== 'ephemeral') throw invalid(`${place()}.cache_control.type: Input should be 'ephemeral'`);
  if (ttl !== undefined && ttl !== '5m' && ttl !== '1h')
    throw invalid(`${place()}.cache_control.ttl: Input should be '5m' or '1h'`);
}

function only(
  allowed: 'user' | 'assistant',
  role: 'user' | 'assistant',
  block: Fields,
  ...[place, check]: [Place, (block: Fields, place: Place) => void]
): void {
  if (allowed !== role)
    throw invalid(`${place()}: \`${String(block.type)}\` blocks can only be in \`${allowed}\` messages`);
  check(block, place);
}

function checkToolUse(block: Fields, place: Place): void {
  checkFields(block, TOOL_USE, place);
  checkPattern(block.id, ID, () => `${place()}.tool_use.id`);
  checkPattern(block.name, NAME, () => `${place()}.tool_use.name`);
  if (!isFields(block.input)) throw invalid(`${place()}.tool_use.input: Input should be an object`);
  checkCacheControl(block.cache_control, place);
}

function checkToolResult(block: Fields, place: Place): void {
  checkFields(block, TOOL_RESULT, place);
  checkPattern(block.tool_use_id, ID, () => `${place()}.tool_result.tool_use_id`);
  checkBoolean(block.is_error, () => `${place()}.tool_result.is_error`);
  checkCacheControl(block.cache_control, place);
  if (block.content === undefined || typeof block.content === 'string') return;
  if (!Array.isArray(block.content)) throw invalid(`${place()}.tool_result.content: Input should be a valid list`);
  block.content.forEach((part: unknown, index) => {
    const within = (): string => `${place()}.tool_result.content.${index}`;
    if (isFields(part) && (part.type === 'image' || part.type === 'document')) checkMedia(part, within);
    else checkText(part, within);
  });
}

function checkMedia(block: Fields, place: Place): void {
  const isImage = block.type === 'image';
  const { cache_control: cache, citations } = checkFields(block, isImage ? IMAGE : DOCUMENT, place);
  if (citations !== undefined && citations !== null)
    throw invalid(`${place()}.citations: the model simulator does not read citations`);
  if (isImage) checkImage(block, place);
  else checkDocument(block, place);
  checkCacheControl(cache, place);
}

function checkThinking(block: Fields, place: Place): void {
  checkFields(block, THINKING, place);
  checkString(block.thinking, () => `${place()}.thinking.thinking`);
  checkString(block.signature, () => `${place()}.thinking.signature`);
  if (block.signature !== signatureOf(block.thinking))
    throw invalid(`${place()}: Invalid \`signature\` in \`thinking\` block`);
}

function checkRedacted(block: Fields, place: Place): void {
  checkFields(block, REDACTED, place);
  checkString(block.data, () => `${place()}.redacted_thinking.data`);
  if (!isOurs(block.data)) throw invalid(`${place()}: Invalid \`data\` in \`redacted_thinking\` block`);
}
