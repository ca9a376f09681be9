import { setFlagsFromString } from 'node:v8';
import { invalid } from '../grpc/refusal.js';
import { type Filter, matchingPrefixes } from '../storage/filter.js';

export interface FilterOption {
  readonly filter?: 'streamIdentifier' | 'eventType';
  readonly streamIdentifier?: Expression;
  readonly eventType?: Expression;
  readonly max?: number;
  readonly checkpointIntervalMultiplier?: number;
}

interface Expression {
  readonly regex?: string;
  readonly prefix?: readonly string[];
}

const LONGEST_PATTERN = 16_384;
/** The flag of V8's engine that never goes back; it knows no lookaround, back references and counted repetitions. */
const LINEAR = 'l';

/** @throws Refusal for a pattern that is no regular expression, or one that cannot be matched in linear time. */
export function filterOf(option: FilterOption): Filter {
  const on = option.filter === 'streamIdentifier' ? 'stream' : 'type';
  const { regex, prefix = [] } = (on === 'stream' ? option.streamIdentifier : option.eventType) ?? {};
  if (prefix.length > 0) return { on, accepts: matchingPrefixes(prefix) };
  if (!regex) throw invalid('The filter has neither a pattern nor prefixes.');
  const pattern = compiled(regex);
  return { on, accepts: (name) => pattern.test(name) };
}

function compiled(regex: string): RegExp {
  if (regex.length > LONGEST_PATTERN)
    throw invalid(`The pattern is longer than ${LONGEST_PATTERN} characters: filter by prefixes.`);
  // A pattern comes from a client; the linear engine cannot be made to search for hours.
  setFlagsFromString('--enable-experimental-regexp-engine');
  try {
    return new RegExp(regex, LINEAR);
  } catch {
    throw invalid(
      `The pattern ${JSON.stringify(regex)} is no regular expression that can be matched in linear time: leave out lookaround, back references and counted repetitions.`,
    );
  }
}
