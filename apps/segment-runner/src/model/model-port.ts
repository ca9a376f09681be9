import type { ModelBlock, StopReason, Usage } from '#contracts';
import type { TurnRequest } from '#domain';

/** Everything that a model's answer may depend on. Its messages are values: nobody changes one once it is made. */
export type ModelRequest = TurnRequest;

/** What a model said in one turn. */
export interface ModelTurn {
  readonly content: ModelBlock[];
  readonly stopReason: StopReason;
  readonly usage: Usage;
  /** The model that answered, as it names itself. */
  readonly model: string;
}

/** Which turn of its run a request is for, and at which attempt, both from 1; no part of the request. */
export interface TurnPlace {
  readonly turn: number;
  readonly attempt: number;
}

export interface TurnOptions {
  /** Ends the turn at once; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Hears each piece of the answer's text as it arrives. */
  readonly onText?: ((delta: string) => void) | undefined;
  /** Told to the model simulator only. */
  readonly place?: TurnPlace | undefined;
}

/** Whoever answers requests; one attempt each, since retries are recorded in the log. */
export interface Model {
  /** @throws ModelFailure, or the signal's reason. */
  turn(request: ModelRequest, options: TurnOptions): Promise<ModelTurn>;
}
