import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { ModelBlock, StopReason, Usage } from '#contracts';
import { ModelFailure } from './model-failure.js';
import type { ModelTurn } from './model-port.js';

const Turn = z.object({ content: z.array(ModelBlock), stopReason: StopReason, usage: Usage, model: z.string() });

type Event = Anthropic.RawMessageStreamEvent;
type StartedBlock = Anthropic.ContentBlock;
type Counts = Partial<
  Pick<
    Anthropic.MessageDeltaUsage,
    'input_tokens' | 'output_tokens' | 'cache_read_input_tokens' | 'cache_creation_input_tokens'
  >
>;

/** The API answered with something that is not a turn. */
export const malformed = (cause: unknown): ModelFailure =>
  new ModelFailure(
    'server-error',
    "The model's answer is not one of the Messages API; check the model's address if it stays so.",
    { cause },
  );

/** Puts a turn together from the events of its stream. */
export class TurnFromStream {
  /** Whether the stream has come to its end. */
  ended = false;
  private model: string | undefined;
  private stopReason: string | null = null;
  private counts: Counts = {};
  private readonly blocks: StartedBlock[] = [];
  /** The inputs of calls as far as they have been written, by the place of their block. */
  private readonly inputs: string[] = [];

  /** Takes the next event and answers with the text that it added; events of unknown types are passed over. */
  take(event: Event): string {
    switch (event.type) {
      case 'message_start':
        this.model = event.message.model;
        this.count(event.message.usage);
        return '';
      case 'content_block_start':
        this.blocks[event.index] = { ...event.content_block };
        return event.content_block.type === 'text' ? event.content_block.text : '';
      case 'content_block_delta':
        return this.extend(event);
      case 'message_delta':
        this.stopReason = event.delta.stop_reason;
        this.count(event.usage);
        return '';
      case 'message_stop':
        this.ended = true;
        return '';
      default:
        return '';
    }
  }

  /**
   * The whole turn, with the contract's fields only, so that the log gives back the very same.
   * @throws ModelFailure when it is none.
   */
  turn(): ModelTurn {
    const result = Turn.safeParse({
      content: this.blocks.flatMap((block, index) => this.finished(block, index)),
      // Both mean that the answer was cut off for want of room.
      stopReason: this.stopReason === 'model_context_window_exceeded' ? 'max_tokens' : this.stopReason,
      usage: {
        inputTokens: this.counts.input_tokens ?? 0,
        outputTokens: this.counts.output_tokens ?? 0,
        cacheReadTokens: this.counts.cache_read_input_tokens ?? 0,
        cacheWriteTokens: this.counts.cache_creation_input_tokens ?? 0,
      },
      model: this.model,
    });
    if (result.success) return result.data;
    throw malformed(result.error);
  }

  private count(usage: Counts): void {
    const given = Object.entries(usage).filter(([, tokens]) => tokens !== null && tokens !== undefined);
    this.counts = { ...this.counts, ...Object.fromEntries(given) };
  }

  private extend({ index, delta }: Anthropic.RawContentBlockDeltaEvent): string {
    const block = this.blocks[index];
    if (block === undefined) throw malformed('a delta of a block that was not started');
    if (delta.type === 'text_delta' && block.type === 'text') {
      block.text += delta.text;
      return delta.text;
    }
    if (delta.type === 'input_json_delta') this.inputs[index] = (this.inputs[index] ?? '') + delta.partial_json;
    if (delta.type === 'thinking_delta' && block.type === 'thinking') block.thinking += delta.thinking;
    if (delta.type === 'signature_delta' && block.type === 'thinking') block.signature = delta.signature;
    return '';
  }

  /** An answer that was cut off ends in a block that cannot be used: half a call, or a thought without its signature. */
  private finished(block: StartedBlock, index: number): readonly unknown[] {
    if (block.type === 'thinking' && block.signature === '') return [];
    if (block.type !== 'tool_use') return [block];
    const written = this.inputs[index];
    const isCutOff = this.stopReason === 'max_tokens' || this.stopReason === 'model_context_window_exceeded';
    // A call without any input may have been cut off before it.
    if (!written) return isCutOff ? [] : [block];
    try {
      return [{ ...block, input: JSON.parse(written) }];
    } catch (cause) {
      if (isCutOff) return [];
      throw malformed(cause);
    }
  }
}
