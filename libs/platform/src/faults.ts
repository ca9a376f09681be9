import type { z } from 'zod';

/** One thing that is wrong with a value, and where in it. */
export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What zod has found, in words for people: unknown fields one by one, and what is missing called that. */
export const faultsOf = ({ issues }: z.ZodError): readonly Fault[] => issues.flatMap(faultsIn);

function faultsIn(issue: z.core.$ZodIssue): readonly Fault[] {
  const { path, message } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'there is no such field; is it misspelt?' }));
  }
  const isMissing = issue.code === 'invalid_type' && message.endsWith('received undefined');
  return [{ path, message: isMissing ? `it is missing; it must be ${withArticle(issue.expected)}` : message }];
}

const withArticle = (type: string): string => `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
