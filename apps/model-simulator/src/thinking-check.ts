import { invalid } from './api-error.js';
import { checkCount, checkFields, type Fields, isFields } from './field-check.js';
import { blocksOf, type MessageParam, type ThinkingConfig } from './messages-request.js';

const LEAST_BUDGET = 1_024;
const FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  enabled: new Set(['type', 'budget_tokens', 'display']),
  adaptive: new Set(['type', 'display']),
  disabled: new Set(['type']),
};
const EFFORTS: readonly unknown[] = ['low', 'medium', 'high', 'xhigh', 'max'];
const DISPLAYS: readonly unknown[] = [undefined, null, 'summarized', 'omitted'];

/** Asserts that the model can think as it is told to. */
export function checkThinking({ thinking, temperature, max_tokens: maxTokens, output_config: output }: Fields): void {
  checkEffort(output);
  if (thinking === undefined || thinking === null) return;
  if (!isFields(thinking)) throw invalid('thinking: Input should be an object');
  const fields = FIELDS[String(thinking.type)];
  if (fields === undefined) {
    throw invalid(`thinking.type: the model simulator plays only ${Object.keys(FIELDS).join(', ')}`);
  }
  checkFields(thinking, fields, () => `thinking.${String(thinking.type)}`);
  if (!DISPLAYS.includes(thinking.display))
    throw invalid("thinking.display: Input should be 'summarized' or 'omitted'");
  if (thinking.type === 'enabled') checkBudget(thinking.budget_tokens, maxTokens);
  if (thinking.type !== 'disabled' && temperature !== undefined && temperature !== 1) {
    throw invalid('`temperature` may only be set to 1 when thinking is enabled.');
  }
}

function checkBudget(budget: unknown, maxTokens: unknown): void {
  checkCount(budget, LEAST_BUDGET, () => 'thinking.enabled.budget_tokens');
  if (typeof maxTokens === 'number' && budget >= maxTokens) {
    throw invalid('`max_tokens` must be greater than `thinking.budget_tokens`.');
  }
}

function checkEffort(output: unknown): void {
  if (output === undefined || output === null) return;
  const { effort, format } = checkFields(output, new Set(['effort', 'format']), () => 'output_config');
  if (format !== undefined && format !== null)
    throw invalid('output_config.format: the model simulator does not play this');
  if (effort !== undefined && effort !== null && !EFFORTS.includes(effort)) {
    throw invalid(`output_config.effort: Input should be one of ${EFFORTS.join(', ')}`);
  }
}

/** With a budget for thinking, the turn whose tools are being answered must begin with its thought. */
export function checkThoughts(messages: readonly MessageParam[], thinking: ThinkingConfig | null | undefined): void {
  if (thinking?.type !== 'enabled') return;
  const at = messages.findLastIndex(({ role }) => role === 'assistant');
  const turn = messages[at];
  if (turn === undefined) return;
  const blocks = blocksOf(turn);
  const [first] = blocks;
  if (!blocks.some(({ type }) => type === 'tool_use') || first === undefined) return;
  if (first.type === 'thinking' || first.type === 'redacted_thinking') return;
  throw invalid(
    `messages.${at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first.type}\`. ` +
      'When `thinking` is enabled, a final `assistant` message must start with a thinking block.',
  );
}
