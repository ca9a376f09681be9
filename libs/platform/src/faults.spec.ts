import { z } from 'zod';
import { faultsOf } from './faults.js';

const Wish = z.strictObject({
  name: z.string(),
  caps: z.strictObject({ steps: z.int().positive().optional() }).optional(),
});
const sentences = (value: unknown): readonly string[] => {
  const { error } = Wish.safeParse(value);
  return error ? faultsOf(error).map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
};

describe('what is wrong with a value', () => {
  it('is told of each unknown field by itself, at its own place', () => {
    expect(sentences({ name: 'a', caps: { step: 1, stepz: 2 } })).toEqual([
      'caps.step: there is no such field; is it misspelt?',
      'caps.stepz: there is no such field; is it misspelt?',
    ]);
  });

  it('is told of a field that is missing, and of what it must be', () => {
    expect(sentences({})).toEqual(['name: it is missing; it must be a string']);
  });

  it('is told in zod’s words otherwise', () => {
    expect(sentences({ name: 'a', caps: { steps: -1 } })).toEqual(['caps.steps: Too small: expected number to be >0']);
  });
});
