import { isSoftDeleted } from './policy.js';
import type { StreamState } from './streams.js';

/** What a writer believes about the stream that it writes to; a number is the last revision. */
export type Expected = 'any' | 'no-stream' | 'stream-exists' | bigint;

export type Verdict =
  | { readonly kind: 'append' }
  /** All of it is there already, the last of it at this revision. */
  | { readonly kind: 'repeated'; readonly last: number }
  | { readonly kind: 'wrong-expected-version' }
  | { readonly kind: 'deleted' };

/** Where earlier events of the stream are found, to tell a retry from a conflict. */
export interface Recorded {
  revisionOf(id: Uint8Array): number | undefined;
  idAt(revision: number): Uint8Array | undefined;
  /** Whether the stream has metadata: then it exists, though it may be empty. */
  hasMetadata(): boolean;
}

const APPEND: Verdict = { kind: 'append' };
const WRONG: Verdict = { kind: 'wrong-expected-version' };

/** Whether events with these ids may be appended now, or were appended before by an earlier try of the same request. */
export function judge(state: StreamState, expected: Expected, ids: readonly Uint8Array[], recorded: Recorded): Verdict {
  if (expected === 'stream-exists') {
    if (isSoftDeleted(state.policy)) return { kind: 'deleted' };
    if (state.last < 0 && !recorded.hasMetadata()) return WRONG;
  }
  if (expected === 'any' || expected === 'stream-exists') return judgeAnywhere(ids, recorded);
  const revision = expected === 'no-stream' ? -1 : Number(expected);
  if (revision === state.last) return APPEND;
  if (revision > state.last) return WRONG;
  return judgeAt(state, revision, ids, recorded);
}

function judgeAnywhere(ids: readonly Uint8Array[], recorded: Recorded): Verdict {
  const [first] = ids;
  if (!first || recorded.revisionOf(first) === undefined) return APPEND;
  const revisions = ids.map((id) => recorded.revisionOf(id));
  const last = revisions.at(-1);
  return last === undefined || revisions.includes(undefined) ? WRONG : { kind: 'repeated', last };
}

function judgeAt(state: StreamState, revision: number, ids: readonly Uint8Array[], recorded: Recorded): Verdict {
  const first = firstAfter(state, revision);
  const same = ids.filter((id, index) => recorded.idAt(first + index)?.every((byte, at) => byte === id[at]));
  if (ids.length > 0 && same.length === ids.length) return { kind: 'repeated', last: first + ids.length - 1 };
  return same.length === 0 && revision === -1 && isSoftDeleted(state.policy) ? APPEND : WRONG;
}

/** A stream that was deleted and written again began anew where its `$tb` points to. */
function firstAfter({ policy, last }: StreamState, revision: number): number {
  const { truncateBefore = 0 } = policy;
  return revision === -1 && truncateBefore <= last ? truncateBefore : revision + 1;
}
