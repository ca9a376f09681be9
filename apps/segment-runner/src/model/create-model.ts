import type { AgentSpec } from '#contracts';
import type { SegmentRunnerConfig } from '../config.js';
import { createAnthropicModel } from './anthropic-model.js';
import { ModelFailure } from './model-failure.js';
import type { Model } from './model-port.js';
import { simulatorHeaders } from './simulate-header.js';
import type { LoadBlob } from './wire-media.js';

/** What belongs to the run that a model works for. */
export interface ModelUse {
  readonly runId: string;
  readonly loadBlob: LoadBlob;
}

/** The model of an agent: the simulator for the name `simulator`, else whatever speaks the Messages API. */
export function createModel(spec: AgentSpec, config: SegmentRunnerConfig, { runId, loadBlob }: ModelUse): Model {
  const timeoutMs = config.BATON_MODEL_TIMEOUT_MS;
  if (spec.model.name === 'simulator') {
    const baseUrl = config.BATON_MODEL_URL;
    if (!baseUrl) return unusable('The agent asks for the model simulator, and BATON_MODEL_URL is not set.');
    const headers = simulatorHeaders(spec.simulate, runId);
    return createAnthropicModel({ baseUrl, apiKey: 'simulator', headers, timeoutMs, loadBlob });
  }
  const { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_BASE_URL: baseUrl } = config;
  if (!apiKey) return unusable(`The agent asks for the model ${spec.model.name}, and ANTHROPIC_API_KEY is not set.`);
  return createAnthropicModel({ ...(baseUrl ? { baseUrl } : {}), apiKey, timeoutMs, loadBlob });
}

/** Whatever is asked of it fails with the reason, so that the run says what is missing. */
const unusable = (reason: string): Model => ({
  turn: () => Promise.reject(new ModelFailure('authentication', reason)),
});
