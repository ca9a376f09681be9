import type { createModel } from '../../apps/segment-runner/src/model/create-model.js';
import type { Model } from '../../apps/segment-runner/src/model/model-port.js';
import { played, thinkingMs, tokensIn } from './play.js';
import type { Process, World } from './world.js';

/** The model as a process sees it: it answers every request the same way, after a while. */
export function modelOf(world: World, process: Process): typeof createModel {
  const model: Model = {
    turn: (request, { signal, onText }) =>
      new Promise((resolve, reject) => {
        if (!world.passes(process, () => 'before: model')) return;
        const { content, inputTokens } = played(request);
        const abort = (): void => {
          answering.cancelled = true;
          reject(signal.reason as Error);
        };
        const answering = world.post(process, thinkingMs(content), () => {
          signal.removeEventListener('abort', abort);
          if (!world.passes(process, () => 'after: model')) return;
          const [first] = content;
          if (first?.type === 'text') onText?.(first.text);
          resolve({
            content,
            stopReason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
            usage: { inputTokens, outputTokens: tokensIn(content), cacheReadTokens: 0, cacheWriteTokens: 0 },
            model: 'pure',
          });
        });
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      }),
  };
  return () => model;
}
